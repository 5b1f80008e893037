import type { RunEnd } from '../../coordinator/main.js';
import type { Recipe } from '../../coordinator/recipe.js';
import { saveAccess } from '../../coordinator/run-access.js';
import {
  checkpointsIn,
  continueRunDirectory,
  createRunDirectory,
  type RunDirectory,
} from '../../coordinator/run-directory.js';
import { writeMetrics } from '../../coordinator/run-record.js';
import { epochMs, systemClock } from '../../shared/actor/clock.js';
import { stepPlace, stepsPerEpoch } from '../../shared/data/order.js';
import { UserError } from '../../shared/errors.js';
import { type Certificate, createCertificate, isExpired } from '../../shared/link/certificate.js';
import { formatWatchUrl, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { describeGradients, saveGradients } from '../gradients/report.js';
import { whileSaying } from '../terminal/passing-note.js';
import { type Progress, startProgress } from '../terminal/progress.js';
import { divergence, howToGoOn, whyStopped } from '../training/ending.js';
import { LocalRun } from '../training/local-run.js';
import { describeResult, newsOf, type TrainResult, type WorkerShare } from '../training/result.js';
import { RunWatch } from '../training/run-watch.js';
import { initialParameters } from '../training/trained-model.js';
import { runTruth } from '../verification/run-truth.js';
import type { CommandContext } from './command.js';
import { findResumption, type Resumption } from './resume.js';
import type { TrainSettings } from './train-options.js';

/** Times that backprop is looked at in a run, where nothing else is asked for. */
const LOOKS = 100;

/** What `train` was asked for. */
export interface TrainRequest {
  readonly recipe: Recipe;
  readonly settings: TrainSettings;
  /** The words of the command line that a run keeps. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The folder of a run that goes on. */
  readonly resume: string | undefined;
}

/** Trains as it was asked to; returns early, with everything saved, when the context is interrupted. */
export async function train(request: TrainRequest, context: CommandContext): Promise<void> {
  const { recipe, settings } = request;
  const { terminal, interrupted } = context;
  const resumption = request.resume === undefined ? undefined : await findResumption(request.resume);
  const data = await whileSaying('reading data', terminal.stderr, () => recipe.data(settings.data));
  const { samples } = data.train.manifest;
  const perEpoch = stepsPerEpoch(samples, settings.batch);
  const steps = 'steps' in settings.length ? settings.length.steps : settings.length.epochs * perEpoch;
  const progress = startProgress(terminal.stderr, systemClock.nowMs);
  const watch = new RunWatch({ steps, stepsPerEpoch: perEpoch }, progress);
  watch.remember(resumption?.records ?? [], (step) => stepPlace(step - 1, samples, settings.batch).size);
  const watchEvery = settings.watchEvery ?? Math.ceil(steps / LOOKS);
  const from = resumption?.checkpoint;
  const parameters = from === undefined ? await initialParameters(settings) : undefined;
  const run = await LocalRun.prepare(
    { ...settings, recipe, data, steps, watchEvery, from, parameters, access: resumption?.access },
    watch,
    systemClock,
  );
  let farewell = 'the run failed';
  try {
    const { misfit } = run.coordinator;
    if (misfit !== undefined && settings.workers === 0) throw new UserError(misfit);
    const certificate = settings.tls ? await certificateFor(resumption) : undefined;
    const joinUrl = await run.coordinator.listen(addressOf(request, resumption), certificate);
    // Last of all that can fail: a folder may hold an earlier run, which is not given up for one that cannot begin.
    const directory = await directoryFor(request, resumption);
    const { port } = parseJoinUrl(joinUrl);
    await saveAccess(directory.path, { ...run.identity, port, ...(certificate && { certificate }) });
    const pinned = resumption === undefined ? undefined : settledAt(resumption, run);
    run.keepIn({ store: checkpointsIn(directory.path, pinned), prepare: () => watch.sync() });
    watch.recordTo(directory);
    progress.say(`training ${settings.recipe}: ${steps} steps of ${settings.batch} samples, ${run.backend}`);
    if (resumption !== undefined) tellResumption(resumption, run, watch, progress);
    progress.say(
      misfit === undefined
        ? `to help from another machine:  npm run -s unisum -- worker '${joinUrl}'`
        : `nobody can help from elsewhere: ${misfit}`,
    );
    progress.say(`to watch it:  npm run -s unisum -- watch '${formatWatchUrl(parseJoinUrl(joinUrl))}'`);
    watch.publishTo((news) => run.coordinator.publish(news));
    const end = await trainToEnd(run, interrupted);
    await tellGradients(settings, watch, directory.path, context);
    farewell = end.reason === 'diverged' ? 'the run has diverged' : `the run is ${end.reason}`;
    if (end.reason === 'diverged') throw await divergence(run, end, settings, directory);
    if (end.reason === 'interrupted') progress.say(howToGoOn(end, directory.path));
    if (end.reason === 'stopped') progress.say(whyStopped(end, settings.earlyStopping?.patience ?? 0));
    const weightsSha256 = await directory.saveWeights(run.parameters());
    if (end.restored !== undefined)
      watch.reported({ event: 'restored', step: end.steps, to: end.restored, weightsSha256 });
    if (end.reason === 'finished' || end.reason === 'stopped') await run.measure(end.steps, watch);
    const result = resultOf({
      settings,
      backend: run.backend,
      end: { ...end, reason: end.reason },
      watch,
      weightsSha256,
      runDir: directory.path,
    });
    run.coordinator.publish(newsOf(result));
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

/**
 * Workers look for a run where it was. Nobody else may have taken the port: another coordinator of the same run would
 * write into the same files.
 */
function addressOf(
  { settings: { listen } }: TrainRequest,
  resumption: Resumption | undefined,
): TrainSettings['listen'] {
  const port = resumption?.access?.port;
  return listen.port === 0 && port !== undefined ? { ...listen, port } : listen;
}

/** Workers that look for a run trust the certificate of its join line, for as long as it holds. */
async function certificateFor(resumption: Resumption | undefined): Promise<Certificate> {
  const kept = resumption?.access?.certificate;
  return kept !== undefined && !isExpired(kept.certificate, epochMs()) ? kept : createCertificate(epochMs());
}

async function directoryFor(
  { settings, options }: TrainRequest,
  resumption: Resumption | undefined,
): Promise<RunDirectory> {
  const request = { recipe: settings.recipe, config: { ...settings }, options, now: epochMs() };
  if (resumption === undefined)
    return createRunDirectory({
      ...request,
      ...(settings.runDir === undefined ? {} : { directory: settings.runDir }),
    });
  const { path, records, checkpoint } = resumption;
  await writeMetrics(path, records);
  await checkpointsIn(path).forgetAfter(checkpoint?.progress.step ?? -1);
  return continueRunDirectory(path, request);
}

/** The step from which on the settings are those of now: whoever does the run again goes on from its checkpoint. */
function settledAt({ checkpoint, records }: Resumption, run: LocalRun): number {
  return run.differences.length > 0 ? (checkpoint?.progress.step ?? 0) : runTruth(records).settledAt;
}

function tellResumption(
  { path, checkpoint, damaged }: Resumption,
  run: LocalRun,
  watch: RunWatch,
  progress: Progress,
): void {
  for (const line of damaged) progress.say(`passed over: ${line}`);
  const step = checkpoint?.progress.step ?? 0;
  progress.say(
    checkpoint === undefined
      ? `${path} has no checkpoint: the run begins anew`
      : `${path} goes on from step ${step}`,
  );
  const changes = run.differences.join(', ');
  if (changes !== '') progress.say(`settings that differ from then: ${changes}`);
  watch.reported({ event: 'resumed', step, ...(changes === '' ? {} : { changes }) });
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
  end: Omit<RunEnd, 'reason'> & { reason: TrainResult['ending']; seconds: number };
  watch: RunWatch;
  weightsSha256: string;
  runDir: string;
}): TrainResult {
  const { settings, backend, end, watch, weightsSha256, runDir } = run;
  const { samples, samplesBefore, trainLoss, metrics } = watch;
  return {
    recipe: settings.recipe,
    steps: end.steps,
    samples,
    seconds: end.seconds,
    samplesPerSecond: (samples - samplesBefore) / end.seconds,
    trainLoss,
    metrics,
    ending: end.reason,
    ...(end.best !== null && { best: end.best }),
    ...(end.restored !== undefined && { restoredStep: end.restored }),
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
