import { join } from 'node:path';
import type { CheckpointStore } from '../../coordinator/storage/checkpoint-store.js';
import { WEIGHTS_FILE } from '../../coordinator/storage/run-directory.js';
import type { PlannedParameter } from '../../shared/compiler/flat-vector.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { weightsBytesMax } from '../file-bounds.js';
import type { Leg, RecordedRun } from './recorded-run.js';

/** What this program writes beside the tensors; see RunDirectory.saveWeights. */
const METADATA = ['producer', 'weightsSha256'];

/**
 * The hash of the weights in a run's file, which must be tensors of its network and nothing else: the hash does not
 * cover their names and shapes.
 * @param recorded what the run's last line says
 * @returns null where the run has no weights, as one that has diverged
 * @throws UserError that names what is wrong
 */
export async function checkWeightsFile(
  path: string,
  recorded: string | null,
  parameters: readonly PlannedParameter[],
): Promise<string | null> {
  const file = join(path, WEIGHTS_FILE);
  if (recorded === null) {
    if (!(await exists(file))) return null;
    throw new UserError(`${WEIGHTS_FILE} exists, but the recorded run saved no weights`);
  }
  if (!(await exists(file))) throw new UserError(`${WEIGHTS_FILE} is missing`);
  const { tensors, metadata } = await loadSafetensors(file, weightsBytesMax({ parameters }));
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape.join()]));
  const other = tensors.find(({ name, shape }) => shapes.get(name) !== shape.join());
  if (other !== undefined || tensors.length !== shapes.size)
    throw new UserError(`${WEIGHTS_FILE} does not hold the parameters of the network`);
  const hash = weightsSha256(tensors);
  if (hash !== recorded) throw new UserError(`${WEIGHTS_FILE} does not hold the recorded weights`);
  const isOurs = Object.keys(metadata).every((name) => METADATA.includes(name));
  if (!isOurs || metadata.weightsSha256 !== hash)
    throw new UserError(`${WEIGHTS_FILE} has metadata that a run does not write`);
  return hash;
}

/**
 * Compares the checkpoints in a run's directory with their records. One without a record, as a run leaves that ends while
 * it is saved, joins the recorded states: it is compared with what is computed.
 * @returns how many there are
 * @throws UserError that names the first that is damaged or holds something else
 */
export async function checkCheckpoints(store: CheckpointStore, recorded: RecordedRun): Promise<number> {
  const { saved, legs, lastStep } = recorded;
  const steps = await store.steps();
  for (const step of steps) {
    if (step > lastStep)
      throw new UserError(`there is a checkpoint of step ${step}, but the run has ${lastStep} steps`);
    const { sha256, weightsSha256 } = await store.load(step);
    const records = saved.get(step) ?? [];
    if (records.some(({ value }) => value.sha256 === sha256)) continue;
    if (records.length > 0)
      throw new UserError(`the checkpoint of step ${step} is not the one that was recorded`);
    // The state between two legs was saved by the first of them.
    const leg = legs.findLast(({ from }) => from < step) ?? (legs[0] as Leg);
    saved.set(step, [{ value: { sha256, weightsSha256 }, line: 0, leg }]);
  }
  return steps.length;
}
