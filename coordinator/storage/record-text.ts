/** One line of metrics.jsonl, without its hash. */
export type MetricsRecord = Readonly<Record<string, unknown>>;

/** The text of a record. JSON has no NaN or infinity: they become words. */
export function recordText(record: MetricsRecord): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}
