/** How far a run has come. */
export interface ProgressState {
  /** Steps done since the run's beginning, also those before it was resumed. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Epoch that the next step belongs to, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss of the latest samples; undefined before the first step. */
  readonly loss: number | undefined;
  /** Samples done so far. */
  readonly samples: number;
  /** Workers at work now. */
  readonly workers: number;
}

/** How fast it goes. */
export interface Pace {
  readonly samplesPerSecond: number;
  readonly stepsPerSecond: number;
}

/** Widest and narrowest bar, in characters; with less room than for the narrowest there is none. */
const WIDEST_BAR = 40;
const NARROWEST_BAR = 8;

/** One line without the bar: what a log file gets. */
export function formatPlain(state: ProgressState, pace: Pace): string {
  const percent = Math.floor(share(state) * 100);
  return `${String(percent).padStart(3)}%  ${describe(state, pace).join('  ')}`;
}

/** The same with a bar that takes what is left of `columns`; never longer than `columns`. */
export function formatBar(state: ProgressState, pace: Pace, columns: number): string {
  const plain = formatPlain(state, pace);
  const room = Math.min(columns - plain.length - 1, WIDEST_BAR);
  if (room < NARROWEST_BAR) return plain.slice(0, columns);
  const filled = Math.round(share(state) * room);
  return `${'█'.repeat(filled)}${'░'.repeat(room - filled)} ${plain}`;
}

/** 1234567 -> "1.23M": three figures are as many as anyone reads from a moving line. */
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

/** 3725 -> "1h02m", 125 -> "2m05s", 9 -> "9s". */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole >= 3600) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  if (whole >= 60) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${whole}s`;
}

/** Padded where it can be, so that neither the columns of a log nor the bar jump about. */
function describe(state: ProgressState, pace: Pace): string[] {
  return [
    `epoch ${state.epoch}/${state.epochs}`,
    `step ${String(state.step).padStart(String(state.steps).length)}/${state.steps}`,
    `loss ${state.loss === undefined ? '-' : state.loss.toFixed(4)}`,
    `${formatCount(pace.samplesPerSecond).padStart(5)} samples/s`,
    `${state.workers} ${state.workers === 1 ? 'worker' : 'workers'}`,
    timeLeft(state, pace),
  ];
}

function timeLeft(state: ProgressState, pace: Pace): string {
  const steps = state.steps - state.step;
  if (steps > 0 && pace.stepsPerSecond <= 0) return 'time left unknown';
  return `${formatDuration(steps > 0 ? steps / pace.stepsPerSecond : 0)} left`;
}

/** 0 to 1. */
function share({ step, steps }: ProgressState): number {
  return steps > 0 ? Math.min(step / steps, 1) : 0;
}
