// Tables and charts out of a run's JSON; see run.mjs for its form.

import { METRICS, STEADY } from "./scenarios.mjs";
import { ratio, summarize, valuesOf } from "./statistics.mjs";
import { bars } from "./svg.mjs";

const REFERENCE = "native";

export function number(value) {
  if (value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
  if (size >= 1e3) return `${(value / 1e3).toFixed(1)} k`;
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}

/** One cell: median, spread, and the ratio to the addon. */
function cell(runs, reference, metric, withRatio) {
  const values = valuesOf(runs, metric);
  if (values.length === 0) return "–";
  const { median, spread } = summarize(values);
  const noise = values.length > 1 ? ` ±${Math.round(spread * 100)} %` : "";
  const times = withRatio ? ratio(runs, reference, metric) : undefined;
  const compared = times === undefined ? "" : ` (${times.toFixed(2)}×)`;
  return `${number(median)}${noise}${compared}`;
}

/** A group's table: a row for each scenario and metric, a column for each runtime. */
function rowsOf(group, runtimes) {
  const rows = [];
  for (const metric of group.metrics) {
    for (const { name, runs } of group.scenarios) {
      const has = runtimes.some(({ name }) =>
        valuesOf(runs[name], metric).length > 0
      );
      if (!has) continue;
      rows.push([
        METRICS[metric].title,
        name,
        ...runtimes.map((runtime) =>
          cell(
            runs[runtime.name],
            runs[REFERENCE],
            metric,
            runtime.name !== REFERENCE,
          )
        ),
      ]);
    }
  }
  return rows;
}

/** The groups as plain text, for a terminal. */
export function asText({ runtimes, groups }) {
  const lines = [];
  for (const group of groups) {
    const rows = [
      ["", "", ...runtimes.map(({ name }) => name)],
      ...rowsOf(group, runtimes),
    ];
    const widths = rows[0].map((_, column) =>
      Math.max(...rows.map((row) => row[column].length))
    );
    lines.push("", group.title);
    let last = "";
    for (const row of rows) {
      const shown = row[0] === last ? ["", ...row.slice(1)] : row;
      last = row[0];
      lines.push(
        shown.map((text, column) => text.padEnd(widths[column])).join("  ")
          .trimEnd(),
      );
    }
  }
  return lines.join("\n");
}

/** The median of what the runs came to. */
function valueOf(runs, metric) {
  const values = valuesOf(runs, metric);
  return values.length === 0 ? undefined : summarize(values).median;
}

/** Who is compared with whom, in words. */
const NAMED = {
  node: "on Node",
  deno: "on Deno",
  bun: "on Bun",
  native: "the addon",
  c: "libzmq in C",
};

/** What every target came to; those that the guard insists on have a `floor`. */
export function targetsOf({ groups }) {
  const found = [];
  for (const group of groups) {
    const [first] = group.metrics;
    for (const { name, target, floor, also = [], runs } of group.scenarios) {
      const own = { metric: first, by: "node", of: REFERENCE, limit: target };
      for (const one of [own, ...also]) {
        const { metric, by, of, limit } = one;
        const guarded = one === own ? floor : undefined;
        const reached = of
          ? ratio(runs[by], runs[of], metric)
          : valueOf(runs[by], metric);
        if (reached === undefined || (!limit && !guarded)) continue;
        const higher = METRICS[metric].higher === true;
        const meets = (limit) => higher ? reached >= limit : reached <= limit;
        found.push({
          title: `${group.title}, ${name}: ${METRICS[metric].title}`,
          pair: of ? `${NAMED[by]} / ${NAMED[of]}` : NAMED[by],
          unit: of ? "×" : "",
          higher,
          reached,
          target: limit,
          floor: guarded,
          met: limit === undefined || meets(limit),
          safe: guarded === undefined || meets(guarded),
        });
      }
    }
  }
  return found;
}

/** Which groups are drawn, and how. */
const CHARTS = {
  "push-pull": { logarithmic: true },
  curve: { logarithmic: true },
  "req-rep": {},
  "router-dealer": {},
  connections: { metric: "memory" },
  start: {},
};

/** The charts as SVG texts, by file name. */
export function charts({ runtimes, groups, date }) {
  const files = {};
  for (const group of groups) {
    const style = CHARTS[group.id];
    if (!style) continue;
    const metric = style.metric ?? group.metrics[0];
    const series = runtimes.map(({ name, title }) => ({
      name,
      title,
      values: group.scenarios.map(({ runs }) => valueOf(runs[name], metric)),
    })).filter(({ values }) => values.some((value) => value > 0));
    if (series.length === 0) continue;
    const { title, higher } = METRICS[metric];
    files[`bench-${group.id}.svg`] = bars({
      title: group.title.replaceAll("`", ""),
      note: `${title}; ${higher ? "longer" : "shorter"} is better${
        style.logarithmic ? "; logarithmic" : ""
      }; ${date.slice(0, 10)}`,
      categories: group.scenarios.map(({ name }) => name),
      format: number,
      logarithmic: style.logarithmic === true,
      series,
    });
  }
  return files;
}

function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((row) =>
    `| ${row.join(" | ")} |`
  );
}

export function asMarkdown(results) {
  const { runtimes, groups, machine, options, date, packages, failures } =
    results;
  const drawn = charts(results);
  const lines = [
    "# Benchmarks",
    "",
    "Written by `npm run bench`, which repeats all of it on your machine. Sender and " +
    "receiver are two processes that talk over loopback, and each receiver checks " +
    "that every message arrived, whole and in order. Measured is from the first " +
    `message after a warm-up to the last, in ${options.runs} runs of each ` +
    `(${options.targetRuns} of what has a target, fewer of what takes long), ` +
    "the runtimes in turn, forth and back." +
    (options.steady
      ? ` Rates that have a target are those of ${STEADY.seconds} s or more, after ` +
        `${STEADY.warm} s of the same, when engines have compiled what they run: with ` +
        "messages of 1 KB Bun did a third of its rate in the first second, Deno two " +
        "thirds, Node five sixths."
      : ""),
    "",
    `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ` +
    `${machine.system}; load before the run ${machine.load.toFixed(1)}` +
    `${
      machine.congestion
        ? `; TCP's congestion control is ${machine.congestion}` +
          (machine.congestion.startsWith("bbr")
            ? ", which paces Node, the addon and libzmq in C over loopback too, and " +
              "not Bun and Deno ([why](runtimes.md#everywhere))"
            : "")
        : ""
    }.`,
    "",
    ...table(
      ["", "what", "size on disk"],
      runtimes.map(({ name, title }) => [
        name,
        title,
        packages[name] ? `${(packages[name] / 2 ** 20).toFixed(1)} MB` : "",
      ]),
    ),
    "",
    "Cells: the median, half the range of the runs as a share of it, and in brackets " +
    "the ratio to the native addon (median of the ratios of neighbouring runs). The " +
    "addon sends from the program's memory, and the runs send the same few buffers " +
    "again and again, which is its best case.",
  ];
  const targets = targetsOf(results).filter(({ target }) => target);
  if (targets.length > 0) {
    lines.push(
      "",
      "## Targets",
      "",
      "Medians of the ratios of neighbouring runs; the addon runs on the same Node.",
      "",
      ...table(
        ["", "", "wanted", "reached", ""],
        targets.map(({ title, pair, unit, higher, target, reached, met }) => [
          title,
          pair,
          `${higher ? "≥" : "≤"} ${target}${unit}`,
          `${reached.toFixed(2)}${unit}`,
          met ? "yes" : "**no**",
        ]),
      ),
    );
  }
  for (const group of groups) {
    const rows = rowsOf(group, runtimes);
    if (rows.length === 0) continue;
    lines.push("", `## ${group.title}`, "");
    if (drawn[`bench-${group.id}.svg`]) {
      lines.push(`![${group.title}](bench-${group.id}.svg)`, "");
    }
    lines.push(
      ...table(["", "", ...runtimes.map(({ name }) => name)], rows),
    );
  }
  if (failures.length > 0) {
    lines.push("", "## Failed", "", ...failures.map((text) => `- ${text}`));
  }
  return `${lines.join("\n")}\n`;
}
