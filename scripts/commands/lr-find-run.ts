import { systemClock } from '../../shared/actor/clock.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { exponential } from '../../shared/optim/schedule.js';
import type { Recipe } from '../../trainer/recipe.js';
import { Trainer } from '../../trainer/trainer.js';
import {
  GROWTH,
  type RangePoint,
  RangeTestObserver,
  rangeSteps,
  suggestRate,
} from '../reports/lr-find/range-test.js';
import { fillPage } from '../reports/page.js';
import type { CommandContext } from './command.js';

/** Lines of the printed curve, and characters of its longest bar. */
const CURVE_LINES = 24;
const BAR_CHARACTERS = 40;

interface LrFindSettings {
  readonly name: string;
  readonly recipe: Recipe;
  readonly from: number;
  readonly to: number;
  readonly batch: number;
  readonly seed: number;
  readonly backend: 'auto' | Backend;
  readonly data: string | undefined;
  readonly html: string | undefined;
  readonly json: boolean;
}

/** Trains with a growing learning rate until the loss explodes, and reports the rate at which it fell fastest. */
export async function lrFind(settings: LrFindSettings, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { name, from, to, batch } = settings;
  terminal.say(`trying ${name}, batch ${batch}, with learning rates from ${from} to ${to} ...`);
  const points = await measure(settings, context);
  if (context.interrupted.aborted) return;
  const suggested = Number(suggestRate(points).toPrecision(2));
  for (const line of curve(points)) terminal.say(line);
  terminal.say(`the loss falls fastest at a learning rate of ${suggested}; start with --lr ${suggested}`);
  const report = { recipe: name, batch, suggestedLr: suggested, points };
  if (settings.html !== undefined) {
    const page = await fillPage(new URL('../reports/lr-find/page/', import.meta.url), report);
    await writeFileAtomically(settings.html, [Buffer.from(page)]);
    terminal.say(`curve    ${settings.html}`);
  }
  if (settings.json) terminal.result(report);
}

async function measure(
  { recipe, batch, seed, backend, from, to, data: path }: LrFindSettings,
  context: CommandContext,
): Promise<readonly RangePoint[]> {
  const data = await recipe.data(path);
  const observer = new RangeTestObserver(from, () => trainer.coordinator.interrupt());
  const request = {
    ...{
      recipe,
      data,
      batch,
      seed,
      backend,
      leafSize: Math.min(recipe.leafSize, batch),
      steps: rangeSteps(from, to),
    },
    ...{ optimizer: recipe.optimizer, learningRate: from, schedule: exponential({ factor: GROWTH }) },
    ...{ clipping: recipe.clipping, gradientNoise: recipe.gradientNoise },
    ...{ workers: 1, threads: 1, minWorkers: 1, audit: 0 },
  };
  const trainer = await Trainer.prepare(request, observer, systemClock);
  try {
    const { interrupted } = context;
    interrupted.addEventListener('abort', () => trainer.coordinator.interrupt());
    if (interrupted.aborted) trainer.coordinator.interrupt();
    trainer.start();
    await trainer.coordinator.ended;
  } finally {
    await trainer.close('measured');
  }
  return observer.points;
}

/** The smoothed loss as bars. */
function curve(points: readonly RangePoint[]): string[] {
  const every = Math.max(1, Math.ceil(points.length / CURVE_LINES));
  const shown = points.filter((_, i) => i % every === 0);
  const most = Math.max(...shown.slice(1).map(({ smoothed }) => smoothed));
  return [
    'learning rate    loss',
    ...shown.map(({ rate, smoothed }) => {
      const bar = '#'.repeat(Math.min(BAR_CHARACTERS, Math.round((smoothed / most) * BAR_CHARACTERS)));
      return `${rate.toExponential(1).padStart(13)}  ${smoothed.toFixed(4).padStart(8)}  ${bar}`;
    }),
  ];
}
