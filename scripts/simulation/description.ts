/** A message, as a trace shows it. */
export function describe(message: {
  readonly kind: string;
  readonly step?: number;
  readonly range?: { from: number; to: number };
  readonly reason?: string;
}): string {
  const { kind, step, range, reason } = message;
  if (reason !== undefined) return `${kind}, ${reason}`;
  return range === undefined ? kind : `${kind} ${step} [${range.from},${range.to})`;
}
