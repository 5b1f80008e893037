import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type SavedCheckpoint,
} from '../../coordinator/storage/checkpoint.js';
import { loadSafetensors, saveSafetensors } from '../../shared/files/safetensors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import { trainHere, verifyHere } from '../support/in-process.js';
import { editLines, type Line, readLines, writeLines } from '../support/metrics.js';

/*
 * A forger has a run directory, all of the code and as much time as it likes, but not the time to train. It alters files
 * and computes every hash anew, so that nothing contradicts what it claims. None of it may be proven by `verify`.
 *
 * Each forgery names what it is refused for: a forgery that fails for another reason does not test what it is meant to.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-forger-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

const SHORT = ['--steps', 40, '--workers', 1, '--checkpoint-every', 10, '--keep-checkpoints', 'all'];

/**
 * Honest runs that are altered: by name, the words of `train` for each session. A word INTERRUPTED:3 interrupts it after
 * three epochs of 8 steps, where its state is saved then.
 */
const HONEST: Readonly<Record<string, readonly (readonly (string | number)[])[]>> = {
  plain: [['iris', ...SHORT]],
  sessions: [
    ['iris', ...SHORT, 'INTERRUPTED:1'],
    ['--resume', 'HERE', 'INTERRUPTED:2'],
    ['--resume', 'HERE', 'INTERRUPTED:3'],
    ['--resume', 'HERE', 'INTERRUPTED:4'],
    ['--resume', 'HERE'],
  ],
  other: [['iris', ...SHORT, '--seed', 7]],
  ownWeights: [['iris', ...SHORT, '--weights', join(ROOT, 'other', 'weights.safetensors')]],
  stopped: [['iris', ...SHORT, '--steps', 200, '--lr', 0.2, '--evaluate-every', 4, '--early-stopping', 3]],
  codec: [
    ['iris', ...SHORT, '--compress', 'int4', 'INTERRUPTED:2'],
    ['--resume', 'HERE'],
  ],
  local: [['iris', ...SHORT, '--steps', 20, '--sync', 'local:replicas=2,steps=2']],
  diverged: [['iris', ...SHORT, '--optimizer', 'sgd', '--lr', 1e38]],
  changed: [
    ['iris', ...SHORT],
    ['--resume', 'HERE', '--lr', 0.05, '--steps', 60],
  ],
};

beforeAll(async () => {
  for (const [name, sessions] of Object.entries(HONEST)) {
    const path = join(ROOT, name);
    for (const [i, words] of sessions.entries()) {
      const [, epoch] = /INTERRUPTED:(\d+)/.exec(words.join(' ')) ?? [];
      const own = words.filter((word) => !String(word).startsWith('INTERRUPTED'));
      const { problem } = await trainHere(
        i === 0 ? [...own, '--run-dir', path] : own.map((word) => (word === 'HERE' ? path : word)),
        { onLine: (line, interrupt) => void (line.startsWith(`epoch ${epoch}:`) && interrupt()) },
      );
      expect(problem === undefined || name === 'diverged', problem).toBe(true);
    }
  }
}, 60_000);

/** A run directory in the hands of the forger. */
class Copy {
  constructor(readonly path: string) {}

  get metrics(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get weights(): string {
    return join(this.path, 'weights.safetensors');
  }

  checkpoint(step: number): string {
    return join(this.path, 'checkpoints', `step-${String(step).padStart(13, '0')}.safetensors`);
  }

  /** Steps whose states are kept, ascending. */
  states(): number[] {
    const names = readdirSync(join(this.path, 'checkpoints')).sort();
    return names.map((name) => Number(name.replace(/\D/g, '')));
  }

  edit(edit: (lines: Line[]) => readonly Line[]): void {
    editLines(this.metrics, edit);
  }

  /** Alters each line that a test picks. */
  alter(isMeant: (line: Line) => boolean, change: (line: Line) => object): void {
    this.edit((lines) => lines.map((line) => (isMeant(line) ? { ...line, ...change(line) } : line)));
  }

  config(
    change: (config: { options: Record<string, unknown>; config: Record<string, unknown> }) => void,
  ): void {
    const file = join(this.path, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    change(config);
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  }

  /** Other options than those that the run was made with, wherever they are written. */
  options(change: Record<string, string>, settings: Record<string, unknown>): void {
    this.config(({ options, config }) => {
      Object.assign(options, change);
      Object.assign(config, settings);
    });
    this.alter(isHead, ({ options }) => ({ options: { ...(options as object), ...change } }));
  }

  /** Puts other weights in place of the run's, with every hash that names them. */
  async putWeights(change: (tensors: readonly Tensor[]) => readonly Tensor[]): Promise<string> {
    const { tensors } = await loadSafetensors(this.weights);
    const forged = change(tensors);
    const hash = weightsSha256(forged);
    await saveSafetensors(this.weights, forged, { producer: 'unisum', weightsSha256: hash });
    return hash;
  }

  /** Puts another state in place of a checkpoint, and its hashes wherever they are written. */
  async putState(step: number, change: (state: Checkpoint) => Checkpoint): Promise<void> {
    const file = this.checkpoint(step);
    const state = decodeCheckpoint(readFileSync(file), file);
    const { pieces, weightsSha256, sha256 } = await encodeCheckpoint(change(state), sha256Hex);
    writeFileSync(file, Buffer.concat(pieces));
    this.alter(
      ({ event, step: at }) => event === 'checkpoint' && at === step,
      () => ({ weightsSha256, sha256 }),
    );
  }

  /**
   * Puts an invented state in place of a checkpoint. The right one stays in the record; the invented one has a line in a session of
   * its own, with the hash of the right weights, which is computed again, and its own hash.
   * @returns what a session that goes on from the right state says of it
   */
  async addInvented(step: number): Promise<SavedCheckpoint> {
    const file = this.checkpoint(step);
    const right = decodeCheckpoint(readFileSync(file), file);
    const { pieces, sha256 } = await encodeCheckpoint(
      { ...right, parameters: halves(right.parameters) },
      sha256Hex,
    );
    writeFileSync(file, Buffer.concat(pieces));
    const { weightsSha256 } = right;
    this.edit((lines) => {
      const at = lines.findIndex((line) => isEvent('resumed')(line) && line.step === step);
      const { settings, ...resumed } = lines[at] as Line;
      const other = { ...resumed, settings: { ...(settings as object), seed: 3 } };
      const invented = { event: 'checkpoint', step, weightsSha256, sha256 };
      return [...lines.slice(0, at), other, invented, ...lines.slice(at)];
    });
    return right;
  }

  /** Puts an invented state in place of a checkpoint, and computes all that comes after it. */
  async goOnFromInvented(step: number): Promise<void> {
    const { sha256, weightsSha256 } = await this.addInvented(step);
    for (const later of this.states()) if (later > step) rmSync(this.checkpoint(later));
    let known = 0;
    this.edit((lines) => {
      known = lines.findLastIndex((line) => isEvent('resumed')(line) && line.step === step);
      return lines.slice(0, known);
    });
    const { problem } = await trainHere(['--resume', this.path]);
    expect(problem).toBeUndefined();
    this.edit((lines) =>
      lines.map((line, i) => (i === known ? { ...line, state: { sha256, weightsSha256 } } : line)),
    );
  }
}

const isHead = ({ event }: Line): boolean => event === 'begun';
const isStep = ({ event, epoch }: Line): boolean => event === undefined && epoch !== undefined;
const isEvaluation = ({ event, epoch }: Line): boolean => event === undefined && epoch === undefined;
const isEvent =
  (name: string) =>
  ({ event }: Line) =>
    event === name;

/** The same tensors with every number 0.5. */
const halves = (tensors: readonly Tensor[]): Tensor[] =>
  tensors.map((tensor) => ({ ...tensor, values: tensor.values.map(() => 0.5) }));

/** The same tensors with one bit of one number altered. */
const oneBit = (tensors: readonly Tensor[]): Tensor[] =>
  tensors.map(({ values, ...tensor }, i) => {
    const copy = values.slice();
    const bits = new Uint32Array(copy.buffer);
    if (i === 0) bits[0] = (bits[0] as number) ^ 1;
    return { ...tensor, values: copy };
  });

const before = (lines: readonly Line[], isMeant: (line: Line) => boolean, added: Line): Line[] => {
  const at = lines.findIndex(isMeant);
  return [...lines.slice(0, at), added, ...lines.slice(at)];
};

interface Forgery {
  readonly what: string;
  /** Name of the honest run; default: plain. */
  readonly of?: string;
  /** More words for `verify`. */
  readonly words?: readonly string[];
  readonly forge: (copy: Copy) => void | Promise<void>;
  readonly refusedFor: RegExp;
}

const HASH = 'ab'.repeat(32);

const FORGERIES: readonly Forgery[] = [
  // Weights that nobody has trained.
  {
    what: 'weights of 0.5 with a checkpoint record of a step beyond the last',
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      copy.edit((lines) =>
        before(lines, isEvent('ended'), { event: 'checkpoint', step: 41, weightsSha256: hash, sha256: HASH }),
      );
    },
    refusedFor: /is a checkpoint of step 41, but the latest step is 40/,
  },
  {
    what: 'weights of 0.5 with a checkpoint record between two steps',
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      copy.edit((lines) =>
        before(lines, isEvent('ended'), {
          event: 'checkpoint',
          step: 39.5,
          weightsSha256: hash,
          sha256: HASH,
        }),
      );
    },
    refusedFor: /is not a line that a run writes/,
  },
  {
    what: 'weights of 0.5 that the last line names',
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      copy.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
    },
    refusedFor: /differs at step 40: the weights after it are [0-9a-f]+, and were recorded as/,
  },
  {
    what: 'weights with one bit altered, in every record and in the last checkpoint too',
    forge: async (copy) => {
      const hash = await copy.putWeights(oneBit);
      copy.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
      await copy.putState(40, (state) => ({ ...state, parameters: oneBit(state.parameters) }));
    },
    refusedFor: /differs at step 40: the weights after it/,
  },
  {
    what: 'the weights of another run',
    forge: async (copy) => {
      const { tensors } = await loadSafetensors(join(ROOT, 'other', 'weights.safetensors'));
      const hash = await copy.putWeights(() => tensors);
      copy.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
    },
    refusedFor: /differs at step 40: the weights after it/,
  },
  {
    what: 'the weights of another run, with its record too',
    forge: (copy) => {
      for (const name of ['weights.safetensors', 'metrics.jsonl', 'checkpoints'])
        cpSync(join(ROOT, 'other', name), join(copy.path, name), { recursive: true });
    },
    refusedFor: /config.json and the record differ in "options"/,
  },
  {
    what: 'the initial weights, called those of the end',
    forge: async (copy) => {
      const state = decodeCheckpoint(readFileSync(copy.checkpoint(0)), 'state');
      const hash = await copy.putWeights(() => state.parameters);
      copy.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
    },
    refusedFor: /differs at step 40: the weights after it/,
  },
  {
    what: 'weights under other names, which their hash does not cover',
    forge: async (copy) => {
      await copy.putWeights((tensors) => tensors.map((tensor) => ({ ...tensor, name: `${tensor.name}x` })));
    },
    refusedFor: /does not hold the parameters of the network/,
  },
  {
    what: 'weights in another shape, which their hash does not cover',
    forge: async (copy) => {
      await copy.putWeights((tensors) =>
        tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape].reverse() })),
      );
    },
    refusedFor: /does not hold the parameters of the network/,
  },
  {
    what: 'weights that claim an accuracy',
    forge: async (copy) => {
      const { tensors, metadata } = await loadSafetensors(copy.weights);
      await saveSafetensors(copy.weights, tensors, { ...metadata, testAccuracy: '1.0' });
    },
    refusedFor: /has metadata that a run does not write/,
  },
  {
    what: 'no weights',
    forge: (copy) => rmSync(copy.weights),
    refusedFor: /weights.safetensors is missing/,
  },
  {
    what: 'weights that are cut off',
    forge: (copy) => truncateSync(copy.weights, 400),
    refusedFor: /it is damaged or not a safetensors file/,
  },
  {
    what: 'weights that are a link to a file without end',
    forge: (copy) => {
      rmSync(copy.weights);
      symlinkSync('/dev/zero', copy.weights);
    },
    refusedFor: /it is a device, a pipe or a socket; name a regular file/,
  },
  {
    what: 'weights that are a pipe without a writer',
    forge: (copy) => {
      rmSync(copy.weights);
      execFileSync('mkfifo', [copy.weights]);
    },
    refusedFor: /it is a device, a pipe or a socket; name a regular file/,
  },
  {
    what: 'weights as large as a disk, of holes',
    forge: (copy) => truncateSync(copy.weights, 2 ** 40),
    refusedFor: /has 1099511627776 bytes, more than the \d+ allowed/,
  },

  {
    what: 'another recipe in config.json for those who read the first of two names',
    forge: (copy) => {
      const file = join(copy.path, 'config.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('{', '{"recipe":"mnist-cnn",'));
    },
    refusedFor: /config\.json is not of a run of this version of unisum/,
  },

  // A record that says less than was done, or more.
  {
    what: 'one line of a step far away',
    forge: (copy) =>
      copy.edit(([head, ...rest]) => [
        head as Line,
        { step: 999_999, epoch: 1, loss: 0.001, accuracy: 1, workers: 1 },
        rest.at(-1) as Line,
      ]),
    refusedFor: /is step 999999; step 1 was expected/,
  },
  {
    what: 'a head and an end, and nothing between',
    forge: (copy) => copy.edit((lines) => [lines[0] as Line, lines.at(-1) as Line]),
    refusedFor: /ends the run at step 40, but the latest step is 0/,
  },
  {
    what: 'an end at step 0 with trained weights',
    forge: (copy) => {
      copy.edit((lines) => [lines[0] as Line, { ...(lines.at(-1) as Line), step: 0, reason: 'interrupted' }]);
      rmSync(join(copy.path, 'checkpoints'), { recursive: true });
    },
    refusedFor: /differs at step 0: the weights after it/,
  },
  {
    what: 'a step left out',
    forge: (copy) => copy.edit((lines) => lines.filter((line) => !(isStep(line) && line.step === 17))),
    refusedFor: /is step 18; step 17 was expected/,
  },
  {
    what: 'all steps from one on left out',
    forge: (copy) => copy.edit((lines) => lines.filter((line) => !(isStep(line) && line.step > 20))),
    refusedFor: /(is a checkpoint|evaluates|ends).* step \d+, but the latest step is 20/,
  },
  {
    what: 'a step twice',
    forge: (copy) =>
      copy.edit((lines) =>
        lines.flatMap((line) => (isStep(line) && line.step === 5 ? [line, line] : [line])),
      ),
    refusedFor: /is step 5; step 6 was expected/,
  },
  {
    what: 'two steps in another order',
    forge: (copy) =>
      copy.edit((lines) => {
        const at = lines.findIndex((line) => isStep(line) && line.step === 5);
        return [...lines.slice(0, at), lines[at + 1] as Line, lines[at] as Line, ...lines.slice(at + 2)];
      }),
    refusedFor: /is step 6; step 5 was expected/,
  },
  {
    what: 'more steps than were done',
    forge: (copy) =>
      copy.edit((lines) =>
        before(lines, isEvent('ended'), { step: 41, epoch: 6, loss: 0.01, accuracy: 1, workers: 1 }).map(
          (line) => (line.event === 'ended' ? { ...line, step: 41 } : line),
        ),
      ),
    refusedFor: /is step 41 of a run of 40 steps/,
  },
  {
    what: 'a run cut short and called finished',
    forge: (copy) =>
      copy.edit((lines) => [
        ...lines.slice(
          0,
          lines.findIndex((line) => line.step === 33),
        ),
        { ...(lines.at(-1) as Line), step: 32 },
      ]),
    refusedFor: /the record says that it finished at step 32/,
  },
  {
    what: 'a run cut short and called interrupted, with the weights of its end',
    forge: (copy) => {
      copy.edit((lines) => [
        ...lines.slice(
          0,
          lines.findIndex((line) => line.step === 33),
        ),
        { ...(lines.at(-1) as Line), step: 32, reason: 'interrupted' },
      ]);
      rmSync(copy.checkpoint(40));
    },
    refusedFor: /differs at step 32: the weights after it/,
  },
  {
    what: 'no end',
    forge: (copy) => copy.edit((lines) => lines.slice(0, -1)),
    refusedFor: /the run has not ended/,
  },
  {
    what: 'lines behind the end',
    forge: (copy) => copy.edit((lines) => [...lines, { event: 'assignment', step: 40, reason: 'more' }]),
    refusedFor: /comes after the end of the run/,
  },
  {
    what: 'no head',
    forge: (copy) => copy.edit((lines) => lines.slice(1)),
    refusedFor: /line 1 of metrics.jsonl does not name the recipe, settings, data and code of a run/,
  },
  {
    what: 'a record that begins with a state',
    of: 'changed',
    forge: (copy) => copy.edit((lines) => lines.slice(lines.findIndex(isEvent('resumed')))),
    refusedFor: /metrics.jsonl begins at step 40: the origin of that state is not recorded/,
  },
  {
    what: 'a second head',
    forge: (copy) => copy.edit((lines) => before(lines, isEvent('ended'), lines[0] as Line)),
    refusedFor: /begins a second record/,
  },
  {
    what: 'no record',
    forge: (copy) => rmSync(copy.metrics),
    refusedFor: /metrics.jsonl is missing or empty/,
  },
  {
    what: 'an end that the run did not come to: early stopping',
    forge: (copy) => copy.alter(isEvent('ended'), () => ({ reason: 'stopped' })),
    refusedFor: /the replay ends after it \(finished\), but the recorded run is stopped/,
  },
  {
    what: 'an end that the run did not come to: divergence',
    forge: (copy) => copy.alter(isEvent('ended'), () => ({ reason: 'diverged', divergence: 'step' })),
    refusedFor: /the replay ends after it \(finished\), but the recorded run is diverged/,
  },
  {
    what: 'a divergence that came later',
    of: 'diverged',
    forge: (copy) =>
      copy.alter(isEvent('ended'), ({ divergence }) => ({
        divergence: divergence === 'step' ? 'evaluation' : 'step',
      })),
    refusedFor: /differs at step \d+: the replay ends after it \(diverged\)/,
  },
  {
    what: 'a run that diverged, called interrupted with weights of its own',
    of: 'diverged',
    forge: async (copy) => {
      const state = decodeCheckpoint(readFileSync(copy.checkpoint(0)), 'state');
      const forged = halves(state.parameters);
      const hash = weightsSha256(forged);
      await saveSafetensors(copy.weights, forged, { producer: 'unisum', weightsSha256: hash });
      copy.edit((lines) =>
        lines.map(({ divergence: _, ...line }) =>
          line.event === 'ended' ? { ...line, reason: 'interrupted', weightsSha256: hash } : (line as Line),
        ),
      );
    },
    refusedFor: /differs at step \d+: the weights after it/,
  },

  // Numbers that nobody has computed.
  {
    what: 'a loss that is better by the last bit',
    of: 'sessions',
    forge: (copy) =>
      copy.alter(
        (line) => isStep(line) && line.step === 33,
        ({ loss }) => ({ loss: (loss as number) - 2 ** -40 }),
      ),
    refusedFor:
      /differs at step 33: its loss is [\d.e-]+, and was recorded as [\d.e-]+; the weights after step 3[02] were right/,
  },
  {
    what: 'a loss that is better in every step',
    forge: (copy) => copy.alter(isStep, ({ loss }) => ({ loss: (loss as number) / 2 })),
    refusedFor: /differs at step 1: its loss/,
  },
  {
    what: 'a metric that nobody computes',
    forge: (copy) =>
      copy.alter(
        (line) => isStep(line) && line.step === 40,
        () => ({ f1: 1 }),
      ),
    refusedFor: /differs at step 40: its f1 is missing, and was recorded as 1/,
  },
  {
    what: 'a metric left out',
    forge: (copy) =>
      copy.edit((lines) =>
        lines.map(
          ({ accuracy, ...line }) =>
            (isStep(line as Line) && line.step !== 12 ? { ...line, accuracy } : line) as Line,
        ),
      ),
    refusedFor: /differs at step 12: its accuracy is [\d.]+, and was recorded as missing/,
  },
  {
    what: 'words in place of numbers',
    forge: (copy) =>
      copy.alter(
        (line) => isStep(line) && line.step === 4,
        () => ({ loss: 'small' }),
      ),
    refusedFor: /is not a line that a run writes/,
  },
  {
    what: 'an evaluation that is better',
    forge: (copy) =>
      copy.alter(
        (line) => isEvaluation(line) && line.step === 40,
        () => ({ testAccuracy: 1 }),
      ),
    refusedFor: /differs at step 40: the testAccuracy after it is/,
  },
  {
    what: 'an evaluation that measures more',
    forge: (copy) =>
      copy.alter(
        (line) => isEvaluation(line) && line.step === 40,
        () => ({ testF1: 1 }),
      ),
    refusedFor: /differs at step 40: the testF1 after it is missing/,
  },
  {
    what: 'an evaluation left out',
    forge: (copy) => copy.edit((lines) => lines.filter((line) => !(isEvaluation(line) && line.step === 16))),
    refusedFor: /is step 16; the evaluation that is due after it is missing/,
  },
  {
    what: 'an evaluation moved to the next step',
    forge: (copy) =>
      copy.edit((lines) => {
        const at = lines.findIndex((line) => isEvaluation(line) && line.step === 16);
        const moved = { ...(lines[at] as Line), step: 17 };
        const rest = lines.filter((_, i) => i !== at);
        const behind = rest.findIndex((line) => isStep(line) && line.step === 17) + 1;
        return [...rest.slice(0, behind), moved, ...rest.slice(behind)];
      }),
    refusedFor: /is step 16; the evaluation that is due after it is missing/,
  },
  {
    what: 'an evaluation more',
    forge: (copy) =>
      copy.edit((lines) => {
        const at = lines.findIndex((line) => isStep(line) && line.step === 18);
        return before(lines, (line) => line === lines[at + 1], { step: 18, testLoss: 0.01, testAccuracy: 1 });
      }),
    refusedFor: /evaluates step 18, but no evaluation is due after it/,
  },
  {
    what: 'an evaluation of the first weights',
    forge: (copy) =>
      copy.edit((lines) => before(lines, isStep, { step: 0, testLoss: 0.01, testAccuracy: 1 })),
    refusedFor: /evaluates the initial weights/,
  },
  {
    what: 'two evaluations of a step',
    forge: (copy) =>
      copy.edit((lines) =>
        lines.flatMap((line) =>
          isEvaluation(line) && line.step === 16 ? [{ ...line, testAccuracy: 1 }, line] : [line],
        ),
      ),
    refusedFor: /evaluates step 16 a second time/,
  },
  {
    what: 'a step given to another epoch',
    forge: (copy) =>
      copy.alter(
        (line) => isStep(line) && line.step === 9,
        () => ({ epoch: 9 }),
      ),
    refusedFor: /puts step 9 into epoch 9/,
  },
  {
    what: 'something measured that the recipe does not measure',
    forge: (copy) =>
      copy.edit((lines) =>
        before(lines, isEvent('ended'), { event: 'measured', step: 40, metrics: { f1: 1 } }),
      ),
    refusedFor: /the f1 measured in the end is missing, and was recorded as 1/,
  },
  {
    what: 'a version that says what is proven',
    forge: (copy) =>
      copy.alter(isHead, ({ code }) => ({ code: { ...(code as object), version: '1\nproven: all of it' } })),
    refusedFor: /^\S+ is not proven: line 1 of metrics.jsonl is not a line that a run writes$/,
  },
  {
    what: 'a recipe whose name clears the terminal',
    forge: (copy) => {
      copy.alter(isHead, () => ({ recipe: 'x\u001b[2J\nproven' }));
    },
    refusedFor: /^[ -~]+$/,
  },
  {
    what: 'a line of an unknown kind',
    forge: (copy) => copy.edit((lines) => before(lines, isEvent('ended'), { event: 'award', step: 40 })),
    refusedFor: /is not a line that a run writes/,
  },
  {
    what: 'a line with more than a run writes there',
    forge: (copy) => copy.alter(isEvent('ended'), () => ({ testAccuracy: 1 })),
    refusedFor: /is not a line that a run writes/,
  },

  // The text of the record.
  {
    what: 'a line altered without its hash',
    forge: (copy) =>
      writeFileSync(copy.metrics, readFileSync(copy.metrics, 'utf8').replace(/"loss":0\./, '"loss":0.0')),
    refusedFor: /its hash does not fit/,
  },
  {
    what: 'half a line behind the end',
    forge: (copy) => appendFileSync(copy.metrics, '{"step":41,'),
    refusedFor: /the file ends within it/,
  },
  {
    what: 'a record of another run behind the head',
    forge: (copy) => {
      const [head] = readLines(copy.metrics);
      writeLines(copy.metrics, [head as Line, ...readLines(join(ROOT, 'other', 'metrics.jsonl')).slice(1)]);
      cpSync(join(ROOT, 'other', 'weights.safetensors'), copy.weights);
      cpSync(join(ROOT, 'other', 'checkpoints'), join(copy.path, 'checkpoints'), { recursive: true });
    },
    refusedFor: /differs at step (0: the weights after it|1: its loss)/,
  },

  // What the run was made of.
  {
    what: 'another learning rate in config.json',
    forge: (copy) => copy.config(({ config }) => Object.assign(config, { learningRate: 0.5 })),
    refusedFor: /config.json and the record differ in "config"/,
  },
  {
    what: 'other options in config.json',
    forge: (copy) => copy.config(({ options }) => Object.assign(options, { lr: '0.5' })),
    refusedFor: /config.json and the record differ in "options"/,
  },
  {
    what: 'another learning rate in the options, and the settings as they were',
    forge: (copy) => copy.options({ lr: '0.5' }, { learningRate: 0.5 }),
    refusedFor: /line 1 of metrics.jsonl records other settings: learningRate 0.5 \(was 0.02\)/,
  },
  {
    what: 'another learning rate wherever it is written',
    forge: (copy) => {
      copy.options({ lr: '0.5' }, { learningRate: 0.5 });
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), learningRate: 0.5 } }));
    },
    refusedFor: /differs at step (0|2)/,
  },
  {
    what: 'another seed wherever it is written',
    forge: (copy) => {
      copy.options({ seed: '3' }, { seed: 3 });
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), seed: 3 } }));
    },
    refusedFor: /differs at step (0|1)/,
  },
  {
    what: 'other training data',
    forge: (copy) =>
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), data: HASH } })),
    refusedFor: /records other settings: data [0-9a-f]+ \(was abab/,
  },
  {
    what: 'other test data',
    forge: (copy) => copy.alter(isHead, () => ({ testData: HASH })),
    refusedFor: /line 1 of metrics.jsonl records other test data/,
  },
  {
    what: 'another network',
    forge: (copy) =>
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), model: HASH } })),
    refusedFor: /records other settings: model [0-9a-f]+ \(was abab/,
  },
  {
    what: 'other names of the classes for prediction',
    forge: (copy) => {
      const file = join(copy.path, 'model.json');
      const model = JSON.parse(readFileSync(file, 'utf8')) as { classes: string[] };
      writeFileSync(file, `${JSON.stringify({ ...model, classes: model.classes.reverse() }, null, 1)}\n`);
    },
    refusedFor: /model.json describes another model than the recipe does/,
  },
  {
    what: 'another recipe',
    forge: (copy) => {
      copy.config((config) => Object.assign(config, { recipe: 'mnist-mlp' }));
      copy.alter(isHead, () => ({ recipe: 'mnist-mlp' }));
    },
    refusedFor: /records other settings: model|config.json and the record differ|there is no/,
  },
  {
    what: 'a recipe of its own, which prints what verify prints',
    forge: (copy) => {
      const recipe = join(copy.path, 'recipe.js');
      writeFileSync(recipe, 'process.stdout.write(\'{"ok":true}\'); process.exit(0);');
      copy.config((config) => Object.assign(config, { recipe }));
      copy.alter(isHead, () => ({ recipe }));
    },
    refusedFor:
      /was trained with the recipe ".*recipe.js", which is a file with code; if you trust it, add --recipe FILE/,
  },
  {
    what: 'initial weights that nobody has trained, and no step',
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      const weights = join(copy.path, 'initial.safetensors');
      cpSync(copy.weights, weights);
      copy.options({ weights }, { weights });
      copy.alter(isHead, () => ({ weights: hash }));
      copy.edit((lines) => [
        lines[0] as Line,
        { event: 'ended', step: 0, reason: 'interrupted', weightsSha256: hash },
      ]);
      rmSync(join(copy.path, 'checkpoints'), { recursive: true });
    },
    refusedFor:
      /its initial weights are those in .*, whose origin is not proven; if you trust them, add --trust-weights/,
  },
  {
    what: 'initial weights of a run that is forged',
    forge: async (copy) => {
      const ancestor = new Copy(join(copy.path, 'ancestor'));
      cpSync(join(ROOT, 'plain'), ancestor.path, { recursive: true });
      const hash = await ancestor.putWeights(halves);
      ancestor.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
      await copy.putWeights(halves);
      copy.options({ weights: ancestor.path }, { weights: ancestor.path });
      copy.alter(isHead, () => ({ weights: hash }));
      copy.edit((lines) => [
        lines[0] as Line,
        { event: 'ended', step: 0, reason: 'interrupted', weightsSha256: hash },
      ]);
      rmSync(join(copy.path, 'checkpoints'), { recursive: true });
    },
    refusedFor:
      /its initial weights are those of .*ancestor, which is not proven: the run differs at step 40/,
  },
  {
    what: 'initial weights of the run itself',
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      copy.options({ weights: copy.path }, { weights: copy.path });
      copy.alter(isHead, () => ({ weights: hash }));
      copy.edit((lines) => [
        lines[0] as Line,
        { event: 'ended', step: 0, reason: 'interrupted', weightsSha256: hash },
      ]);
      rmSync(join(copy.path, 'checkpoints'), { recursive: true });
    },
    refusedFor: /which in turn starts from this run/,
  },
  {
    what: 'weights that a run begins with and does not name',
    forge: (copy) => copy.options({ weights: copy.path }, { weights: copy.path }),
    refusedFor: /disagree about its initial weights/,
  },

  // Sessions and states.
  {
    what: 'a session from a state that nobody has computed',
    of: 'changed',
    forge: async (copy) => {
      await copy.putState(40, (state) => ({ ...state, parameters: halves(state.parameters) }));
      const { sha256, weightsSha256 } = decodeCheckpoint(readFileSync(copy.checkpoint(40)), 'state');
      copy.alter(isEvent('resumed'), () => ({ state: { sha256, weightsSha256 } }));
      copy.alter(
        (line) => line.event === 'ended' && line.step === 40,
        () => ({ weightsSha256 }),
      );
    },
    refusedFor: /differs at step 40: the weights after it/,
  },
  {
    what: 'a session from weights that are right and momenta that nobody has computed',
    of: 'changed',
    forge: async (copy) => {
      await copy.putState(40, (state) => ({ ...state, buffers: state.buffers.map(halves) }));
      const { sha256, weightsSha256 } = decodeCheckpoint(readFileSync(copy.checkpoint(40)), 'state');
      copy.alter(isEvent('resumed'), () => ({ state: { sha256, weightsSha256 } }));
    },
    refusedFor: /differs at step 40: the state after it/,
  },
  {
    what: 'a change of settings left out',
    of: 'changed',
    forge: (copy) =>
      copy.edit((lines) =>
        lines.filter((line) => line.event !== 'resumed' && !(line.event === 'ended' && line.step === 40)),
      ),
    refusedFor: /config.json and the record differ|of a run of 40 steps/,
  },
  {
    what: 'a session from a step that was never done',
    of: 'changed',
    forge: (copy) => copy.alter(isEvent('resumed'), () => ({ step: 50 })),
    refusedFor: /resumes from step 50, but the latest step is 40/,
  },
  {
    what: 'a session without a state',
    of: 'changed',
    forge: (copy) => copy.alter(isEvent('resumed'), () => ({ state: null })),
    refusedFor: /resumes from step 40 without a state/,
  },
  {
    what: 'a rollback behind which other steps stand',
    forge: (copy) =>
      copy.edit((lines) => {
        const at = lines.findIndex((line) => isStep(line) && line.step === 31);
        const back = { event: 'rolled-back', step: 30, to: 25, member: 'x', since: 26 };
        const forged = lines.filter((line) => isStep(line) && line.step > 25 && line.step <= 30);
        return [
          ...lines.slice(0, at),
          back,
          ...forged.map((line) => ({ ...line, loss: 0.001 })),
          ...lines.slice(at),
        ];
      }),
    refusedFor: /differs at step 26: its loss/,
  },
  {
    what: 'a rollback to a step that comes later',
    forge: (copy) =>
      copy.edit((lines) =>
        before(lines, isEvent('ended'), { event: 'rolled-back', step: 40, to: 45, member: 'x', since: 45 }),
      ),
    refusedFor: /rolls back to step 45, but the latest step is 40/,
  },
  {
    what: 'the weights of another evaluation than the best',
    of: 'stopped',
    forge: async (copy) => {
      const { to } = readLines(copy.metrics).find(isEvent('restored')) as Line & { to: number };
      const other = (to as number) === 8 ? 4 : 8;
      const hash = HASH;
      copy.alter(isEvent('restored'), () => ({ to: other, weightsSha256: hash }));
      copy.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
      const [name] = readdirSync(join(copy.path, 'checkpoints'));
      expect(name).toBeDefined();
    },
    refusedFor: /does not hold the recorded weights/,
  },
  {
    what: 'the last weights in place of the best',
    of: 'stopped',
    forge: async (copy) => {
      const { step } = readLines(copy.metrics).at(-1) as Line;
      const state = decodeCheckpoint(readFileSync(copy.checkpoint(step)), 'state');
      const hash = await copy.putWeights(() => state.parameters);
      copy.edit((lines) => lines.filter((line) => line.event !== 'restored'));
      copy.alter(isEvent('ended'), () => ({ weightsSha256: hash }));
    },
    refusedFor: /the replay ends with the weights of step \d+, the recorded run with those of step/,
  },
  {
    what: 'a checkpoint that holds something else',
    forge: (copy) =>
      cpSync(join(ROOT, 'other', 'checkpoints'), join(copy.path, 'checkpoints'), { recursive: true }),
    refusedFor: /the checkpoint of step 0 is not the one that was recorded/,
  },
  {
    what: 'a checkpoint of a step that has no record',
    of: 'sessions',
    forge: async (copy) => {
      await copy.putState(40, (state) => ({ ...state, buffers: state.buffers.map(halves) }));
      copy.edit((lines) => lines.filter((line) => !(line.event === 'checkpoint' && line.step === 40)));
    },
    refusedFor: /differs at step 40: the state after it/,
  },
  {
    what: 'a checkpoint with momenta that nobody has computed',
    of: 'sessions',
    forge: (copy) => copy.putState(24, (state) => ({ ...state, buffers: state.buffers.map(halves) })),
    refusedFor: /differs at step 24: the state after it/,
  },

  // What members exchange.
  {
    what: 'a residual of a codec that nobody has computed',
    of: 'codec',
    forge: (copy) =>
      copy.putState(16, ({ residual = [], ...state }) => ({ ...state, residual: halves(residual) })),
    refusedFor: /differs at step 16: the state after it/,
  },
  {
    what: 'a state of a codec without its residual',
    of: 'codec',
    forge: (copy) => copy.putState(16, ({ residual: _, ...state }) => state),
    refusedFor: /differs at step 16: the state after it/,
  },
  {
    what: 'another codec wherever it is written',
    of: 'codec',
    forge: (copy) => {
      const compress = 'int8';
      copy.options({ compress }, { compress });
      const isSession = ({ event }: Line): boolean => event === 'begun' || event === 'resumed';
      copy.alter(isSession, ({ options, settings }) => ({
        options: { ...(options as object), compress },
        settings: { ...(settings as object), compress },
      }));
    },
    refusedFor: /differs at step \d/,
  },
  {
    what: 'a codec of which nothing was rounded',
    forge: (copy) => {
      copy.options({ compress: 'int4' }, { compress: 'int4' });
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), compress: 'int4' } }));
    },
    refusedFor: /differs at step \d/,
  },
  {
    what: 'a velocity of the outer step that nobody has computed',
    of: 'local',
    forge: (copy) => copy.putState(20, (state) => ({ ...state, buffers: state.buffers.map(halves) })),
    refusedFor: /differs at step 20: the state after it/,
  },
  {
    what: 'the loss of a round that is better',
    of: 'local',
    forge: (copy) =>
      copy.alter(
        (line) => isStep(line) && line.step === 7,
        () => ({ loss: 0.001 }),
      ),
    refusedFor: /differs at step 7: /,
  },
  {
    what: 'more steps in a round, wherever they are written',
    of: 'local',
    forge: (copy) => {
      const sync = { replicas: 2, steps: 3 };
      copy.options({ sync: 'local:replicas=2,steps=3' }, { sync });
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), sync } }));
    },
    refusedFor: /differs at step \d|puts step \d+ into epoch|record/,
  },
  {
    what: 'a run of steps, called one of local updates',
    forge: (copy) => {
      const sync = { replicas: 2, steps: 1 };
      copy.options({ sync: 'local:replicas=2,steps=1' }, { sync });
      copy.alter(isHead, ({ settings }) => ({ settings: { ...(settings as object), sync } }));
    },
    refusedFor: /differs at step \d|puts step \d+ into epoch|record/,
  },

  // Where only a part is computed.
  {
    what: 'weights of 0.5 that the last line names, sampled',
    of: 'sessions',
    words: ['--sample', '1'],
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      copy.edit((lines) => [...lines.slice(0, -1), { ...(lines.at(-1) as Line), weightsSha256: hash }]);
    },
    refusedFor: /differs at step 40: the weights after it/,
  },
  {
    what: 'a run whose states were all invented but the last span, sampled',
    of: 'sessions',
    words: ['--sample', '1'],
    forge: async (copy) => {
      for (const step of copy.states().slice(1, -2))
        await copy.putState(step, (state) => ({ ...state, parameters: oneBit(state.parameters) }));
    },
    refusedFor: /differs at step \d+: /,
  },
  {
    what: 'a run of one long span, whose states were not kept, sampled',
    of: 'sessions',
    words: ['--sample', '8'],
    forge: (copy) => rmSync(copy.checkpoint(16)),
    refusedFor: /steps 17 to \d+ cannot be sampled, because the checkpoint of step 16 was not kept/,
  },
  {
    what: 'a state that is not the recorded one, sampled',
    of: 'sessions',
    words: ['--sample', '1'],
    forge: (copy) =>
      cpSync(join(ROOT, 'other', 'checkpoints'), join(copy.path, 'checkpoints'), { recursive: true }),
    refusedFor: /the checkpoint of step 0 is not the one that was recorded/,
  },
  {
    what: 'first weights of its own, behind a change of settings before the first step, sampled',
    of: 'ownWeights',
    words: ['--sample', '1'],
    forge: async (copy) => {
      const settings = { steps: 39 };
      await copy.putState(0, (state) => ({ ...state, settings: { ...state.settings, ...settings } }));
      const { sha256, weightsSha256 } = decodeCheckpoint(readFileSync(copy.checkpoint(0)), 'state');
      copy.config(({ options, config }) => {
        delete options.weights;
        delete config.weights;
      });
      copy.edit(([head, ...rest]) => {
        const { event: _, format, ...origin } = head as Line & { options: object; settings: object };
        const { weights: __, ...options } = origin.options as Record<string, unknown>;
        const drawn = { ...origin, options, weights: null };
        const first = {
          ...drawn,
          options: { ...options, steps: '39' },
          settings: { ...origin.settings, ...settings },
        };
        return [
          { event: 'begun', format, ...first },
          { event: 'resumed', state: { sha256, weightsSha256 }, ...drawn },
          ...rest.filter(({ event, step }) => event !== 'checkpoint' || step > 0),
        ];
      });
    },
    refusedFor: /differs at step 0: the weights after it are/,
  },
  {
    what: 'a session without steps behind an end that nobody has computed, sampled',
    of: 'sessions',
    words: ['--sample', '1'],
    forge: async (copy) => {
      const hash = await copy.putWeights(halves);
      const { tensors } = await loadSafetensors(copy.weights);
      await copy.putState(40, (state) => ({ ...state, parameters: tensors }));
      const { sha256, weightsSha256 } = decodeCheckpoint(readFileSync(copy.checkpoint(40)), 'state');
      copy.config(({ options, config }) => {
        Object.assign(options, { steps: '41' });
        Object.assign(config, { length: { steps: 41 } });
      });
      copy.edit((lines) => {
        const { event: _, format: __, ...origin } = lines[0] as Line & { options: object; settings: object };
        const end = { ...(lines.at(-1) as Line), weightsSha256: hash };
        return [
          ...lines.slice(0, -1),
          end,
          {
            ...origin,
            ...{ event: 'resumed', step: 40, state: { sha256, weightsSha256 } },
            options: { ...origin.options, steps: '41' },
            settings: { ...origin.settings, steps: 41 },
          },
          { ...end, reason: 'interrupted' },
        ];
      });
    },
    refusedFor: /differs at step 40: the weights after it are/,
  },
  {
    what: 'an invented state that the run goes on from, of a session without steps, sampled',
    of: 'sessions',
    words: ['--sample', '64'],
    forge: (copy) => copy.goOnFromInvented(24),
    refusedFor: /differs at step 24: the state after it is [0-9a-f]+ under other settings/,
  },
  {
    what: 'an invented state in a checkpoint, of a session without steps',
    of: 'sessions',
    forge: (copy) => copy.addInvented(24),
    refusedFor: /differs at step 24: the state after it is [0-9a-f]+ under other settings/,
  },
  {
    what: 'an evaluation moved to the next step, sampled',
    of: 'sessions',
    words: ['--sample', '1'],
    forge: (copy) =>
      copy.edit((lines) => {
        const at = lines.findIndex((line) => isEvaluation(line) && line.step === 8);
        return lines
          .map((line, i) => (i === at ? { ...line, step: 9 } : line))
          .sort((a, b) => (a === lines[at] ? 0 : a.step - b.step && 0));
      }),
    refusedFor: /evaluates step 9, but the latest step is 8/,
  },
];

/** Words that accept the weights that an honest run begins with, where it does not draw them. */
async function trusted(name: string): Promise<string[]> {
  if (name !== 'ownWeights') return [];
  const { tensors } = await loadSafetensors(join(ROOT, 'other', 'weights.safetensors'));
  return ['--trust-weights', weightsSha256(tensors)];
}

describe('a forger without the time to train', () => {
  it('starts from runs that are proven', async () => {
    for (const name of Object.keys(HONEST)) {
      const { problem, result } = await verifyHere([join(ROOT, name), ...(await trusted(name))]);
      expect(problem, name).toBeUndefined();
      expect(result, name).toMatchObject({ ok: true, mode: 'full', missProbability: 0 });
    }
  });

  it('has tried many things', () => {
    expect(new Set(FORGERIES.map(({ what }) => what)).size).toBe(FORGERIES.length);
    expect(FORGERIES.length).toBeGreaterThan(80);
  });

  it.each(FORGERIES)('is refused: $what', async ({ of = 'plain', words = [], forge, refusedFor }) => {
    const copy = new Copy(mkdtempSync(join(ROOT, 'forged-')));
    cpSync(join(ROOT, of), copy.path, { recursive: true });
    await forge(copy);
    const { problem, result, text } = await verifyHere([copy.path, ...words]);
    expect(problem, text).toMatch(refusedFor);
    expect(problem).toMatch(new RegExp(`^${copy.path} is not proven: `));
    expect(problem).not.toContain('\n');
    expect(result).toMatchObject({ ok: false });
  });
});
