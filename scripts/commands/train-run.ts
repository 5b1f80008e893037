import type { RunEnd } from '../../coordinator/main.js';
import type { Recipe } from '../../coordinator/recipe.js';
import { createRunDirectory, type RunDirectory } from '../../coordinator/run-directory.js';
import { epochMs, systemClock } from '../../shared/actor/clock.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import { UserError } from '../../shared/errors.js';
import { describeGradients, saveGradients } from '../gradients/report.js';
import { startProgress } from '../terminal/progress.js';
import { LocalRun } from '../training/local-run.js';
import { describeResult, type TrainResult, type WorkerShare } from '../training/result.js';
import { RunWatch } from '../training/run-watch.js';
import type { CommandContext } from './command.js';
import type { TrainSettings } from './train-options.js';

/** Times that backprop is looked at in a run, where nothing else is asked for. */
const LOOKS = 100;

/** Trains as `settings` say; returns early, with everything saved, when the context is interrupted. */
export async function train(recipe: Recipe, settings: TrainSettings, context: CommandContext): Promise<void> {
  const { terminal, interrupted } = context;
  const data = await recipe.data(settings.data);
  const perEpoch = stepsPerEpoch(data.train.manifest.samples, settings.batch);
  const steps = 'steps' in settings.length ? settings.length.steps : settings.length.epochs * perEpoch;
  const progress = startProgress(terminal.stderr, systemClock.nowMs);
  const watch = new RunWatch({ steps, stepsPerEpoch: perEpoch }, progress);
  const watchEvery = settings.watchEvery ?? Math.ceil(steps / LOOKS);
  const run = await LocalRun.prepare({ ...settings, recipe, data, steps, watchEvery }, watch, systemClock);
  let farewell = 'the run failed';
  try {
    const joinUrl = await run.coordinator.listen(settings.listen);
    // Last of all that can fail: a folder may hold an earlier run, which is not given up for one that cannot begin.
    const directory = await directoryFor(settings);
    watch.recordTo(directory);
    progress.say(`training ${settings.recipe}: ${steps} steps of ${settings.batch} samples, ${run.backend}`);
    progress.say(`to help from another machine:  npm run -s unisum -- worker '${joinUrl}'`);
    const end = await trainToEnd(run, interrupted);
    await tellGradients(settings, watch, directory.path, context);
    farewell = end.reason === 'diverged' ? 'the run has diverged' : `the run is ${end.reason}`;
    if (end.reason === 'diverged') throw divergence(end.steps, settings);
    const weightsSha256 = await directory.saveWeights(run.parameters());
    if (end.reason === 'finished') watch.measured(end.steps, await run.measure());
    const result = resultOf({
      settings,
      backend: run.backend,
      end,
      watch,
      weightsSha256,
      runDir: directory.path,
    });
    progress.stop();
    for (const line of describeResult(result)) terminal.say(line);
    if (settings.json) terminal.result(result);
  } finally {
    progress.stop();
    watch.close();
    await run.close(farewell);
  }
}

/** What was seen of backprop, also where it came to nothing. */
async function tellGradients(
  { recipe }: TrainSettings,
  { looks }: RunWatch,
  folder: string,
  { terminal }: CommandContext,
): Promise<void> {
  if (looks.length === 0) return;
  for (const line of describeGradients(looks)) terminal.say(line);
  terminal.say(`plots    ${await saveGradients(folder, recipe, looks)}`);
}

function directoryFor(settings: TrainSettings): Promise<RunDirectory> {
  return createRunDirectory({
    recipe: settings.recipe,
    config: { ...settings },
    now: epochMs(),
    ...(settings.runDir === undefined ? {} : { directory: settings.runDir }),
  });
}

function divergence(step: number, { learningRate }: TrainSettings): UserError {
  const lower = Number((learningRate / 10).toPrecision(3));
  return new UserError(
    `the loss is no finite number any more at step ${step}: most likely the learning rate is too high (try --lr ${lower}) or gradients explode (try --clip-norm 1); no weights were saved`,
  );
}

/** Trains until the run is over, or interrupted. */
async function trainToEnd(run: LocalRun, interrupted: AbortSignal): Promise<RunEnd & { seconds: number }> {
  interrupted.addEventListener('abort', () => run.coordinator.interrupt());
  if (interrupted.aborted) run.coordinator.interrupt();
  const begunMs = systemClock.nowMs();
  run.begin(systemClock);
  const end = await run.coordinator.ended;
  return { ...end, seconds: (systemClock.nowMs() - begunMs) / 1000 };
}

function resultOf(run: {
  settings: TrainSettings;
  backend: string;
  end: RunEnd & { seconds: number };
  watch: RunWatch;
  weightsSha256: string;
  runDir: string;
}): TrainResult {
  const { settings, backend, end, watch, weightsSha256, runDir } = run;
  const { samples, trainLoss, metrics } = watch;
  return {
    recipe: settings.recipe,
    steps: end.steps,
    samples,
    seconds: end.seconds,
    samplesPerSecond: samples / end.seconds,
    trainLoss,
    metrics,
    weightsSha256,
    backend,
    workers: sharesOf(end.members),
    runDir,
  };
}

function sharesOf(members: RunEnd['members']): WorkerShare[] {
  const all = members.reduce((sum, { samples }) => sum + samples, 0);
  return members.map(({ name, backend, threads, samples }) => ({
    name,
    backend,
    threads,
    samples,
    share: all === 0 ? 0 : samples / all,
  }));
}
