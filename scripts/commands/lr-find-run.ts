import type { Recipe } from '../../coordinator/recipe.js';
import { systemClock } from '../../shared/actor/clock.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { exponential } from '../../shared/optim/schedule.js';
import { GROWTH, type RangePoint, rangeSteps, suggestRate } from '../lr-find/range-test.js';
import { RangeWatch } from '../lr-find/range-watch.js';
import { fillPage } from '../pages/page.js';
import { LocalRun } from '../training/local-run.js';
import type { CommandContext } from './command.js';

/** Lines of the curve in the terminal, and characters of its longest bar. */
const LINES = 24;
const BAR = 40;

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

/** Trains with a growing rate until the loss explodes; tells where it fell fastest. */
export async function lrFind(
  settings: LrFindSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const { name, from, to, batch } = settings;
  terminal.say(`trying ${name}, batch ${batch}, with learning rates from ${from} to ${to} ...`);
  const points = await measure(settings, interrupted);
  if (interrupted.aborted) return;
  const suggested = Number(suggestRate(points).toPrecision(2));
  for (const line of curve(points)) terminal.say(line);
  terminal.say(
    `the loss falls fastest at a learning rate of ${suggested}: begin there, with --lr ${suggested}`,
  );
  const report = { recipe: name, batch, suggestedLr: suggested, points };
  if (settings.html !== undefined) {
    const page = await fillPage(new URL('../lr-find/page/', import.meta.url), report);
    await writeFileAtomically(settings.html, [Buffer.from(page)]);
    terminal.say(`curve    ${settings.html}`);
  }
  if (settings.json) terminal.result(report);
}

async function measure(
  { recipe, batch, seed, backend, from, to, data: path }: LrFindSettings,
  interrupted: AbortSignal,
): Promise<readonly RangePoint[]> {
  const data = await recipe.data(path);
  const watch = new RangeWatch(from, () => run.coordinator.interrupt());
  const request = {
    ...{
      recipe,
      data,
      batch,
      seed,
      backend,
      leaf: Math.min(recipe.leaf, batch),
      steps: rangeSteps(from, to),
    },
    ...{ optimizer: recipe.optimizer, learningRate: from, schedule: exponential({ factor: GROWTH }) },
    ...{ clipping: recipe.clipping, gradientNoise: recipe.gradientNoise },
    ...{ workers: 1, threads: 1, minWorkers: 1, audit: 0 },
  };
  const run = await LocalRun.prepare(request, watch, systemClock);
  try {
    interrupted.addEventListener('abort', () => run.coordinator.interrupt());
    run.begin(systemClock);
    await run.coordinator.ended;
  } finally {
    await run.close('measured');
  }
  return watch.points;
}

/** The smoothed losses as bars. */
function curve(points: readonly RangePoint[]): string[] {
  const every = Math.max(1, Math.ceil(points.length / LINES));
  const shown = points.filter((_, i) => i % every === 0);
  const most = Math.max(...shown.slice(1).map(({ smoothed }) => smoothed));
  return [
    'learning rate    loss',
    ...shown.map(({ rate, smoothed }) => {
      const bar = '#'.repeat(Math.min(BAR, Math.round((smoothed / most) * BAR)));
      return `${rate.toExponential(1).padStart(13)}  ${smoothed.toFixed(4).padStart(8)}  ${bar}`;
    }),
  ];
}
