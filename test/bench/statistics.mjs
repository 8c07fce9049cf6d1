// Numbers out of runs.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, and how far the runs are apart as a share of it: half of the range. */
export function summarize(values) {
  const middle = median(values);
  const range = Math.max(...values) - Math.min(...values);
  return { median: middle, spread: middle === 0 ? 0 : range / 2 / middle };
}

/** The values of one metric in the runs that have it. */
export function valuesOf(runs, metric) {
  return (runs ?? []).map((run) => run?.[metric]).filter((value) =>
    typeof value === "number" && Number.isFinite(value)
  );
}

/**
 * The median of the ratios of runs that were next to each other, so that what slows
 * the machine for a while slows both.
 */
export function ratio(runs, reference, metric) {
  const ratios = (runs ?? []).map((run, index) =>
    run?.[metric] / reference?.[index]?.[metric]
  ).filter(Number.isFinite);
  return ratios.length === 0 ? undefined : median(ratios);
}
