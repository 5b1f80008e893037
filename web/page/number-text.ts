/* Numbers as people read them. */

/** A count, such as 12,400. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en');
}

/** A measurement in four digits. */
export function measureText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1000 ? countText(value) : value.toPrecision(4);
}

/** Samples per second. */
export function rateText(rate: number): string {
  return Number.isFinite(rate) ? `${countText(Number(rate.toPrecision(3)))} samples/s` : '–';
}

/** A duration, such as 3 h 20 min, 4 min 10 s or 12 s. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${min} min`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
}
