import type { KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { RunEnd } from '../coordinator/run-coordinator.js';
import { DAMAGED_LEDGER_FILE } from '../coordinator/storage/checkpoint-store.js';
import { Lease } from '../coordinator/storage/lease.js';
import { LEDGER_FILE } from '../coordinator/storage/member-ledger.js';
import type { MetricsRecord } from '../coordinator/storage/record-text.js';
import { type RunAccess, saveAccess } from '../coordinator/storage/run-access.js';
import {
  checkpointsIn,
  continueRunDirectory,
  createRunDirectory,
  METRICS_FILE,
  type RunDirectory,
} from '../coordinator/storage/run-directory.js';
import { epochMs, systemClock } from '../shared/actor/clock.js';
import { epochsAfter, samplesOf } from '../shared/data/step-shape.js';
import type { GradientStats } from '../shared/engine/passes/gradient-inspector.js';
import { UserError } from '../shared/errors.js';
import { areFinite, type Tensor } from '../shared/files/tensors.js';
import type { Model } from '../shared/graph/model.js';
import { type Certificate, createCertificate, isExpired } from '../shared/link/certificate.js';
import { readCertificate } from '../shared/link/certificate-files.js';
import { parseJoinUrl } from '../shared/protocol/join-url.js';
import { divergedMessage, interruptedMessage, stoppedMessage } from './end-messages.js';
import { evaluationSet, evaluationSetName, loadRecipeData } from './evaluation-set.js';
import { firstWeightsBytesMax } from './file-bounds.js';
import { removeJoinFile, writeJoinFile } from './join-file.js';
import { shapeOf, stepsOf, type TrainSettings } from './options/train-options.js';
import { keptMachineKey } from './own-machine-key.js';
import { packageVersion } from './package-files.js';
import { readPageFiles } from './page-files.js';
import type { Recipe } from './recipe.js';
import { withOptions } from './recipe-options.js';
import { endLine, headLine } from './replay/session-lines.js';
import { newsOf, resultOf, type TrainResult } from './result.js';
import { findResumption, type Resumption } from './resume.js';
import { joinLines, resumeCommand, withRemedy } from './run-lines.js';
import { type Progress, RunLogger } from './run-logger.js';
import { checkSameModel, saveNewModel, storedModelOf } from './stored-model.js';
import { loadParameters } from './trained-model.js';
import { Trainer } from './trainer.js';
import type { TrainingEvent } from './training-events.js';

/** Inspections of gradients per run, where their number is left to us. */
const INSPECTIONS = 100;

/** A checked request to train. */
export interface TrainRequest {
  readonly recipe: Recipe;
  readonly settings: TrainSettings;
  /** The options that config.json keeps, for a resume. */
  readonly options: Readonly<Record<string, string | boolean>>;
  /** The directory of the run to resume. */
  readonly resume: string | undefined;
  /** What it resumes from, where that was found before. */
  readonly resumption?: Resumption | undefined;
  /** By what workers know a new run and where they look for it; left out: it has a join line of its own. */
  readonly access?: RunAccess | undefined;
}

/** Who asked for a run, a command or a program: what it is shown, and how it ends the run. */
export interface SessionHost {
  readonly progress: Progress;
  /** Reads the data, which may take seconds. */
  reading<T>(work: () => Promise<T>): Promise<T>;
  /** Aborted when the run is to save a checkpoint and end. Read when there is something to save, and not before. */
  readonly interrupted: AbortSignal;
  /** There is something to save, until the function that is returned is called. */
  hold(): () => void;
  /** Told of the steps and events of the run, in order. */
  readonly onEvent?: (event: TrainingEvent) => void;
  /** The run can be joined, and has a directory. */
  readonly onOpen?: (joinUrl: string, directory: string) => void;
  /** Shows the inspected gradients of a run in its directory. */
  readonly showGradients?: (stats: readonly GradientStats[], directory: string) => Promise<void>;
}

/**
 * Trains. When the host interrupts it, it saves a checkpoint and returns early.
 * @throws UserError when the request cannot be carried out, or the run has diverged
 */
export async function trainSession(request: TrainRequest, host: SessionHost): Promise<TrainResult> {
  const key = await keptMachineKey();
  const resumption =
    request.resume === undefined || request.resumption !== undefined
      ? request.resumption
      : await findResumption(request.resume, Lease.take(request.resume, systemClock), key);
  const place: { path?: string } = {};
  try {
    return await trainFrom(resumption, request, host, place, key);
  } catch (error) {
    throw await withRemedy(error, place.path, request.settings.recipe);
  } finally {
    resumption?.lease.release();
  }
}

/**
 * @param place takes the path of the run, once it has a directory
 * @param key of this machine
 */
async function trainFrom(
  resumption: Resumption | undefined,
  request: TrainRequest,
  host: SessionHost,
  place: { path?: string },
  key: KeyObject | undefined,
): Promise<TrainResult> {
  const { settings } = request;
  const recipe = withOptions(request.recipe, settings);
  const { progress } = host;
  const data = await host.reading(() => loadRecipeData(recipe, settings));
  for (const note of data.notes ?? []) progress.say(note);
  if (evaluationSet(data) === undefined)
    progress.say('no samples are held out: nothing but the training loss is measured');
  const { samples } = data.train.manifest;
  const steps = stepsOf(settings, samples);
  const shape = shapeOf(settings, samples);
  const length = {
    ...{ steps, epochsAfter: (done: number) => epochsAfter(shape, done) },
    evaluatedOn: evaluationSetName(data),
  };
  const logger = new RunLogger(length, progress, host.onEvent);
  const inspectEvery = settings.inspectEvery ?? Math.ceil(steps / INSPECTIONS);
  const { checkpoint: from, memory } = resumption ?? {};
  const access = knownAccess(request, resumption);
  const parameters = from === undefined ? await initialWeights(settings, recipe.model(data)) : undefined;
  const trainer = await Trainer.prepare(
    { ...settings, recipe, data, steps, inspectEvery, from, parameters, access, memory },
    logger,
    systemClock,
  );
  let shutdown = 'the run failed';
  let isUnfinished = true;
  let release = (): void => {};
  let withdraw = (): void => {};
  try {
    const { coordinator } = trainer;
    const certificate = settings.tls ? await certificateFor(settings, access) : undefined;
    const joinUrl = await coordinator.listen(addressOf(request, access), certificate, await readPageFiles(), {
      publicUrl: settings.publicUrl,
      trusted: settings.trustedProxies,
    });
    const model = storedModelOf(settings.recipe, recipe, data, trainer.network, settings.leafSize);
    if (resumption !== undefined) await checkSameModel(resumption.path, model);
    const head = headLine(
      { recipe: settings.recipe, options: request.options, settings: trainer.settings },
      { data, evaluationMetrics: recipe.evaluationMetrics, parameters, version: packageVersion() },
      resumption && (resumption.checkpoint ?? (resumption.chain.lines > 0 ? null : undefined)),
    );
    if (resumption !== undefined) {
      resumption.recorded.take(head, resumption.chain.lines + 1);
      logger.restore(resumption.recorded, (step) => samplesOf(shape, step - 1));
    }
    // From here on there is something to save: a signal no longer ends the process at once.
    release = host.hold();
    const { interrupted } = host;
    // After everything else that can fail: an earlier run in this directory must not be lost to one that cannot start.
    const directory = await directoryFor(request, resumption, head);
    directory.lease.onLost = coordinator.fail;
    place.path = directory.path;
    await saveNewModel(directory.path, model);
    const { port } = parseJoinUrl(joinUrl);
    // A key of the user's own stays where it is.
    const ours = settings.certificate === undefined && certificate !== undefined ? { certificate } : {};
    await saveAccess(directory.path, { ...trainer.identity, port, ...ours }, key);
    trainer.saveCheckpointsTo({
      store: checkpointsIn(directory.path, { kept: settings.keepCheckpoints ?? Number.POSITIVE_INFINITY }),
      prepare: () => logger.sync(),
    });
    logger.recordTo(directory);
    for (const line of trainer.describe(settings.recipe)) progress.say(line);
    if (trainer.weightsReport !== undefined) progress.say(`${settings.weights}: ${trainer.weightsReport}`);
    if (resumption !== undefined) reportResumption(resumption, trainer, progress);
    // Who reads the join line finds the file.
    if (settings.joinFile !== undefined) await writeJoinFile(settings.joinFile, joinUrl);
    for (const line of joinLines(joinUrl, settings, coordinator.operateToken)) progress.say(line);
    if (settings.isAnnounced) withdraw = await announce(settings, port, certificate !== undefined, progress);
    logger.publishTo((news) => coordinator.publish(news));
    host.onOpen?.(joinUrl, directory.path);
    const end = await trainToEnd(trainer, interrupted);
    if (logger.gradientStats.length > 0) await host.showGradients?.(logger.gradientStats, directory.path);
    shutdown = end.reason === 'diverged' ? 'the run has diverged' : `the run is ${end.reason}`;
    isUnfinished = end.reason === 'interrupted';
    // Without an evaluation, nothing has seen what the last update did.
    const isBroken = evaluationSet(data) === undefined && !areFinite(trainer.parameters());
    if (end.reason === 'diverged' || isBroken)
      throw await divergence(trainer, end, settings, directory, logger);
    if (end.reason === 'interrupted')
      progress.say(interruptedMessage(end, resumeCommand(directory.path, settings.recipe)));
    if (end.reason === 'stopped') progress.say(stoppedMessage(end, settings.earlyStopping?.patience ?? 0));
    const weightsSha256 = await directory.saveWeights(trainer.parameters());
    if (end.restored !== undefined)
      logger.reported({ event: 'restored', step: end.steps, to: end.restored, weightsSha256 });
    if (end.reason !== 'interrupted') await trainer.measure(end.steps, logger);
    const isByOperator = end.reason === 'interrupted' && !interrupted.aborted;
    logger.ended(endLine(end, weightsSha256, isByOperator));
    const result = resultOf({
      settings,
      backend: trainer.backend,
      end: { ...end, reason: end.reason },
      logger,
      weightsSha256,
      runDir: directory.path,
    });
    coordinator.publish(newsOf(result));
    return result;
  } finally {
    progress.stop();
    withdraw();
    if (settings.joinFile !== undefined) await removeJoinFile(settings.joinFile);
    logger.close();
    await trainer.close(shutdown, isUnfinished);
    release();
  }
}

/** Announces the run on the local network. @returns ends that */
async function announce(
  { recipe, listen }: TrainSettings,
  port: number,
  isEncrypted: boolean,
  progress: Progress,
): Promise<() => void> {
  const { announceRun } = await import('../shared/link/local-network.js');
  const run = { recipe: basename(recipe), machine: hostname(), port, isEncrypted };
  return announceRun(run, listen.host, systemClock, (text) =>
    progress.say(`the local network is not told of the run: ${text}`),
  );
}

/** The weights that `--weights` names; undefined when they are to be drawn. */
async function initialWeights(
  { weights }: TrainSettings,
  network: Model,
): Promise<readonly Tensor[] | undefined> {
  return weights === undefined ? undefined : await loadParameters(weights, firstWeightsBytesMax(network));
}

/** What to tell about a run that has diverged. Its weights are saved when they are finite, and its end is recorded. */
async function divergence(
  trainer: Trainer,
  end: RunEnd,
  { recipe, learningRate }: TrainSettings,
  directory: RunDirectory,
  logger: RunLogger,
): Promise<UserError> {
  const areWeightsFinite = areFinite(trainer.parameters());
  const isExplained = end.divergence === 'evaluation' && areWeightsFinite;
  const diagnosis = isExplained ? undefined : await trainer.diagnose(end.steps);
  const weightsSha256 = areWeightsFinite ? await directory.saveWeights(trainer.parameters()) : null;
  logger.ended(endLine(end, weightsSha256));
  const { path } = directory;
  return new UserError(divergedMessage(end, { recipe, learningRate, diagnosis, areWeightsFinite, path }));
}

/** By what workers know the run already; undefined when they do not. */
function knownAccess(
  { access }: Pick<TrainRequest, 'access'>,
  resumption: Resumption | undefined,
): RunAccess | undefined {
  return resumption === undefined ? access : resumption.access;
}

/**
 * A run that workers know listens where they look for it. If the port is taken, it must fail: a second coordinator of the
 * same run would write into the same files.
 */
function addressOf(
  { settings: { listen } }: TrainRequest,
  access: RunAccess | undefined,
): TrainSettings['listen'] {
  return listen.port === 0 && access !== undefined ? { ...listen, port: access.port } : listen;
}

/** A run keeps its certificate until it expires, because its workers trust no other. */
async function certificateFor(
  { certificate }: Pick<TrainSettings, 'certificate'>,
  access: RunAccess | undefined,
): Promise<Certificate> {
  if (certificate !== undefined) return readCertificate(certificate, epochMs());
  const kept = access?.certificate;
  return kept !== undefined && !isExpired(kept.certificate, epochMs()) ? kept : createCertificate(epochMs());
}

async function directoryFor(
  { settings, options }: TrainRequest,
  resumption: Resumption | undefined,
  head: MetricsRecord,
): Promise<RunDirectory> {
  const request = { recipe: settings.recipe, config: { ...settings }, options, now: epochMs(), head };
  if (resumption === undefined)
    return createRunDirectory({
      ...request,
      clock: systemClock,
      ...(settings.runDir === undefined ? {} : { directory: settings.runDir }),
    });
  const { path, lease, chain, checkpoint, memory } = resumption;
  const store = checkpointsIn(path);
  if (memory?.lost !== undefined) await store.replaceLedger(memory);
  // Before the record says that the run has gone back: nobody may resume from a later state.
  await store.forgetAfter(checkpoint?.progress.step ?? -1);
  return continueRunDirectory(path, lease, chain, request);
}

function reportResumption(
  { path, checkpoint, damaged, isForeign, memory, chain: { fault, lines } }: Resumption,
  trainer: Trainer,
  progress: Progress,
): void {
  if (fault !== undefined)
    progress.say(
      fault.isTorn
        ? `removed line ${fault.line} of ${METRICS_FILE}, which was cut off`
        : `removed ${METRICS_FILE} from line ${fault.line} on: ${fault.what}`,
    );
  if (checkpoint !== undefined && lines === 0)
    progress.say(
      `${METRICS_FILE} begins again: it reached no checkpoint, so the run can no longer be verified`,
    );
  if (isForeign)
    progress.say(
      'the join line of this run was not made by you on this machine: it has a new one, which its workers need',
    );
  if (memory?.lost !== undefined) {
    const what =
      memory.lost === 'damaged' ? `is damaged, and was set aside as ${DAMAGED_LEDGER_FILE}` : 'is missing';
    progress.say(
      `${LEDGER_FILE} ${what}: who was expelled or banned is forgotten (ban again with --ban), and the next expulsion takes an audited run back to its first step`,
    );
  }
  for (const line of damaged) progress.say(`skipped a checkpoint: ${line}`);
  const step = checkpoint?.progress.step ?? 0;
  progress.say(
    checkpoint === undefined
      ? `${path} has no checkpoint: the run starts again at step 0`
      : `${path} resumes from step ${step}`,
  );
  const changes = trainer.changedSettings.join(', ');
  if (changes !== '') progress.say(`settings changed since then: ${changes}`);
}

/** Trains until the run is over or interrupted. */
async function trainToEnd(trainer: Trainer, interrupted: AbortSignal): Promise<RunEnd & { seconds: number }> {
  interrupted.addEventListener('abort', () => trainer.coordinator.interrupt());
  if (interrupted.aborted) trainer.coordinator.interrupt();
  const startedMs = systemClock.nowMs();
  trainer.start();
  const end = await trainer.ended();
  return { ...end, seconds: (systemClock.nowMs() - startedMs) / 1000 };
}
