// Bar charts as SVG text, drawn from numbers; no library, readable on light and dark.

const LEFT = 150, RIGHT = 70, BAR = 15, GAP = 12, WIDTH = 720, TOP = 54;
export const COLORS = {
  node: "#2e7d32",
  deno: "#1565c0",
  bun: "#ad7b00",
  native: "#c62828",
  c: "#616161",
};

const escape = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/**
 * Horizontal bars: for each category one bar per series.
 *
 * @param {{title: string, note: string, logarithmic: boolean,
 *   categories: string[], format: (value: number) => string,
 *   series: {name: string, title: string, values: (number|undefined)[]}[]}} chart
 */
export function bars(chart) {
  const { title, note, categories, series, format, logarithmic } = chart;
  const all = series.flatMap(({ values }) => values).filter((value) =>
    value !== undefined && value > 0
  );
  const scale = logarithmic ? Math.log10 : (value) => value;
  // A logarithmic scale begins below the smallest value, so that every bar is seen.
  const least = logarithmic ? scale(Math.min(...all) / 1.5) : 0;
  const most = scale(Math.max(...all));
  const length = (value) =>
    Math.max(1, (scale(value) - least) / (most - least || 1) * plot);
  const plot = WIDTH - LEFT - RIGHT;
  const block = series.length * BAR + GAP;
  const bottom = TOP + categories.length * block;
  const height = bottom + 22 * Math.ceil(series.length / 2) + 10;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="22" font-size="15" font-weight="bold">${
      escape(title)
    }</text>`,
    `<text x="12" y="40" fill="#555">${escape(note)}</text>`,
  ];
  categories.forEach((category, row) => {
    const y = TOP + row * block;
    const middle = y + series.length * BAR / 2 + 4;
    lines.push(
      `<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${
        escape(category)
      }</text>`,
    );
    series.forEach(({ name, values }, index) => {
      const value = values[row];
      const at = y + index * BAR;
      if (value === undefined || !(value > 0)) return;
      const width = length(value).toFixed(1);
      lines.push(
        `<rect x="${LEFT}" y="${at}" width="${width}" height="${BAR - 2}" ` +
          `fill="${COLORS[name]}"/>`,
        `<text x="${(LEFT + Number(width) + 5).toFixed(1)}" y="${
          at + 11
        }" font-size="11" fill="#333">${escape(format(value))}</text>`,
      );
    });
  });
  series.forEach(({ name, title }, index) => {
    const x = 12 + (index % 2) * (WIDTH / 2);
    const y = bottom + 14 + Math.floor(index / 2) * 22;
    lines.push(
      `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${
        COLORS[name]
      }"/>`,
      `<text x="${x + 18}" y="${y}">${escape(title)}</text>`,
    );
  });
  lines.push("</svg>", "");
  return lines.join("\n");
}
