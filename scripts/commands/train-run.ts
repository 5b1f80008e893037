import type { Recipe } from '../../coordinator/recipe.js';
import { createRunDirectory, type RunDirectory } from '../../coordinator/run-directory.js';
import { epochMs, systemClock } from '../../shared/actor/clock.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import { type Progress, startProgress } from '../terminal/progress.js';
import { LocalRun } from '../training/local-run.js';
import { describeResult, type TrainResult } from '../training/result.js';
import { RunWatch } from '../training/run-watch.js';
import type { CommandContext } from './command.js';
import type { TrainSettings } from './train-options.js';

/** Trains as `settings` say; returns early, with everything saved, when the context is interrupted. */
export async function train(recipe: Recipe, settings: TrainSettings, context: CommandContext): Promise<void> {
  const { terminal } = context;
  // First of all: a run whose files cannot be written is not begun.
  const directory = await createRunDirectory({
    recipe: settings.recipe,
    config: { ...settings },
    now: epochMs(),
    ...(settings.runDir === undefined ? {} : { directory: settings.runDir }),
  });
  const progress = startProgress(terminal.stderr, systemClock.nowMs);
  try {
    const result = await trainInto(directory, recipe, settings, progress, context.interrupted);
    progress.stop();
    for (const line of describeResult(result)) terminal.say(line);
    if (settings.json) terminal.result(result);
  } finally {
    progress.stop();
    directory.close();
  }
}

async function trainInto(
  directory: RunDirectory,
  recipe: Recipe,
  settings: TrainSettings,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<TrainResult> {
  const clock = systemClock;
  const data = await recipe.data(settings.data);
  const perEpoch = stepsPerEpoch(data.train.manifest.samples, settings.batch);
  const steps = 'steps' in settings.length ? settings.length.steps : settings.length.epochs * perEpoch;
  const watch = new RunWatch({ steps, stepsPerEpoch: perEpoch }, directory, progress);
  const run = await LocalRun.prepare({ ...settings, recipe, data, steps }, watch, clock);
  let farewell = 'the run failed';
  try {
    const joinUrl = await run.coordinator.listen(settings.listen);
    progress.say(`training ${settings.recipe}: ${steps} steps of ${settings.batch} samples, ${run.backend}`);
    progress.say(`to help from another machine:  npm run -s unisum -- worker '${joinUrl}'`);
    interrupted.addEventListener('abort', () => run.coordinator.interrupt());
    if (interrupted.aborted) run.coordinator.interrupt();
    const begunMs = clock.nowMs();
    run.begin(clock);
    const { members, ...end } = await run.coordinator.ended;
    const seconds = (clock.nowMs() - begunMs) / 1000;
    farewell = `the run is ${end.reason}`;
    const { samples, trainLoss, metrics } = watch;
    return {
      recipe: settings.recipe,
      steps: end.steps,
      samples,
      seconds,
      samplesPerSecond: samples / seconds,
      trainLoss,
      metrics,
      weightsSha256: await directory.saveWeights(run.parameters()),
      backend: run.backend,
      workers: members.map(({ name, backend, threads, samples }) => ({ name, backend, threads, samples })),
      runDir: directory.path,
    };
  } finally {
    await run.close(farewell);
  }
}
