import type { ProgressState } from '../../trainer/run-logger.js';

/** How fast a run progresses. */
export interface Throughput {
  readonly samplesPerSecond: number;
  readonly stepsPerSecond: number;
}

/** Width of the bar in characters. With less room than the minimum there is no bar. */
const BAR_WIDTH_MAX = 40;
const BAR_WIDTH_MIN = 8;

/** One line without a bar, for log files. */
export function formatPlain(state: ProgressState, throughput: Throughput): string {
  const percent = Math.floor(share(state) * 100);
  return `${String(percent).padStart(3)}%  ${describe(state, throughput).join('  ')}`;
}

/** The same with a bar in the remaining columns; never longer than `columns`. */
export function formatBar(state: ProgressState, throughput: Throughput, columns: number): string {
  const plain = formatPlain(state, throughput);
  const room = Math.min(columns - plain.length - 1, BAR_WIDTH_MAX);
  if (room < BAR_WIDTH_MIN) return plain.slice(0, columns);
  const filled = Math.round(share(state) * room);
  return `${'█'.repeat(filled)}${'░'.repeat(room - filled)} ${plain}`;
}

/** 1234567 -> "1.23M": three digits, since more cannot be read from a changing line. */
export function formatCount(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(scaled) : scaled.toPrecision(3)}${units[unit]}`;
}

/** A slow run has a rate too: 0.2345 -> "0.23". */
function formatRate(value: number): string {
  return value < 10 ? String(Number(value.toPrecision(2))) : formatCount(value);
}

/** 3725 -> "1h02m", 125 -> "2m05s", 9 -> "9s". */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole >= 3600) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  if (whole >= 60) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${whole}s`;
}

/** Padded where possible, so that the columns of a log and the bar do not move. */
function describe(state: ProgressState, throughput: Throughput): string[] {
  return [
    `epoch ${state.epoch}/${state.epochs}`,
    `step ${String(state.step).padStart(String(state.steps).length)}/${state.steps}`,
    `loss ${state.loss === undefined ? '-' : state.loss.toFixed(4)}`,
    `${formatRate(throughput.samplesPerSecond).padStart(5)} samples/s`,
    `${state.workers} ${state.workers === 1 ? 'worker' : 'workers'}`,
    timeLeft(state, throughput),
  ];
}

function timeLeft(state: ProgressState, throughput: Throughput): string {
  const steps = state.steps - state.step;
  if (steps > 0 && throughput.stepsPerSecond <= 0) return 'time left unknown';
  return `${formatDuration(steps > 0 ? steps / throughput.stepsPerSecond : 0)} left`;
}

/** 0 to 1. */
function share({ step, steps }: ProgressState): number {
  return steps > 0 ? Math.min(step / steps, 1) : 0;
}
