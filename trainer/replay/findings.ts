import { join } from 'node:path';
import { exists } from '../../shared/files/read-file.js';
import type { RecordedEnd, RecordedRun } from './recorded-run.js';
import type { Sample } from './span-sample.js';

/** Files of a run that nothing is compared with. */
const UNCHECKED_FILES = ['run.html', 'gradients.jsonl', 'gradients.html'];

/** How much was computed and compared. */
export interface Checked {
  readonly checkedSteps: number;
  readonly checkedEvaluations: number;
  /** Recorded hashes of weights and states. */
  readonly checkedHashes: number;
}

/** What was found to agree. */
interface Agreed {
  readonly recorded: RecordedRun;
  readonly end: RecordedEnd;
  readonly checked: Checked;
  /** Undefined: everything was computed. */
  readonly sample: Sample | undefined;
  /** Files of checkpoints that hold what was recorded. */
  readonly checkpoints: number;
  /** What the run began with, in words. */
  readonly origin: string;
  readonly weightsSha256: string | null;
}

/** What was proven, one fact a line. */
export function proven({
  recorded,
  end,
  checked,
  sample,
  checkpoints,
  origin,
  weightsSha256,
}: Agreed): string[] {
  const { lastStep, legs } = recorded;
  const { checkedSteps: steps, checkedEvaluations: evaluations, checkedHashes: hashes } = checked;
  const sessions = legs.length === 1 ? '' : `, under ${legs.length} settings in turn`;
  const metrics = recorded.hasStepMetrics ? `the metrics of ${count(steps, 'step')}, ` : '';
  const numbers = `${metrics}${count(evaluations, 'evaluation')} and ${hashes} ${hashes === 1 ? 'hash' : 'hashes'} of weights and states are as recorded`;
  const how =
    sample === undefined
      ? `${lastStep === 1 ? 'the only step was' : `all ${lastStep} steps were`} replayed from ${origin}${sessions}: ${numbers}`
      : `${steps} of ${lastStep} steps were replayed, in ${sample.spans.length} of ${sample.count} spans between checkpoints, the last among them: ${numbers}`;
  const step = end.restored ?? end.step;
  const restored = end.restored === undefined ? '' : ', the best evaluation';
  const ending = `after step ${step}${restored}`;
  const saved = recorded.hasStepMetrics
    ? `weights.safetensors holds the weights ${ending}`
    : `the weights ${ending} have the SHA-256 ${weightsSha256}`;
  const weightLines = [
    weightsSha256 === null ? 'the run has no finite weights, and saved none' : saved,
    ...(recorded.hasStepMetrics
      ? ['model.json describes the network and the preprocessing of the recipe']
      : []),
  ];
  return [
    how,
    ...(sample === undefined || sample.missProbability === 0
      ? []
      : [
          `a single altered step would have been missed with a probability of at most ${sample.missProbability.toPrecision(3)}, and half of the steps left out with ${sample.halfMissProbability.toPrecision(3)}`,
        ]),
    ...weightLines,
    `the run ended as recorded: ${end.reason} at step ${end.step}`,
    ...(end.measured === undefined ? [] : ['what was measured in the end is as recorded']),
    ...(checkpoints === 0
      ? []
      : [`the files of ${count(checkpoints, 'checkpoint')} hold the recorded states`]),
  ];
}

/** What nothing was said about, one fact a line. */
export async function notProven({
  path,
  recorded,
  sample,
  version,
}: {
  /** The directory of the run; undefined: there is a receipt alone. */
  readonly path: string | undefined;
  readonly recorded: RecordedRun;
  readonly sample: Sample | undefined;
  readonly version: string;
}): Promise<string[]> {
  const events = [...recorded.memberEvents].map(([event, count]) => `${count} ${event}`).join(', ');
  const files: string[] = [];
  if (path !== undefined)
    for (const name of UNCHECKED_FILES) if (await exists(join(path, name))) files.push(name);
  return [
    `who computed what: the workers of each step${events === '' ? '' : `, and lines about members (${events})`}`,
    ...(recorded.hasStepMetrics
      ? []
      : [
          'the record that the receipt names by its hash: the metrics of its steps, and all that it says beside them',
        ]),
    `when it was computed, and that it was by version ${version}`,
    ...(sample === undefined || sample.missProbability === 0
      ? []
      : [
          'the numbers of steps and evaluations outside of the spans that were computed, and checkpoints there',
        ]),
    ...(recorded.takenBack === 0
      ? []
      : [
          `${count(recorded.takenBack, 'recorded step')} that ${recorded.takenBack === 1 ? 'was' : 'were'} taken back, by a rollback or a resume from an earlier state`,
        ]),
    ...(files.length === 0 ? [] : [`what ${files.join(' and ')} ${files.length === 1 ? 'shows' : 'show'}`]),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
