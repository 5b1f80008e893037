import { describe, expect, it } from 'vitest';
import {
  parseTrainOptions,
  type RecipeDefaults,
  type TrainOptions,
} from '../../scripts/commands/train-options.js';
import { UserError } from '../../shared/errors.js';
import { adam } from '../../shared/optim/adam.js';
import { cosineDecay } from '../../shared/optim/schedule.js';
import { sgd } from '../../shared/optim/sgd.js';

const RECIPE: RecipeDefaults = { batch: 128, leaf: 16, epochs: 5, optimizer: adam() };
const SILENT: TrainOptions = {
  threads: '1',
  backend: 'auto',
  seed: '0',
  minWorkers: '1',
  audit: '0',
  checkpointEvery: '10s',
};
const CORES = 6;

const parse = (options: Partial<TrainOptions>) =>
  parseTrainOptions('digits', RECIPE, { ...SILENT, ...options }, CORES);

/** The message and exit status of what `run` throws. */
function refusal(run: () => unknown): { message: string; exitCode: number } {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return { message: error.message, exitCode: error.exitCode };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('options of train', () => {
  it('come from the recipe and the machine when the user says nothing', () => {
    expect(parse({})).toEqual({
      recipe: 'digits',
      workers: CORES,
      threads: 1,
      backend: 'auto',
      batch: 128,
      leaf: 16,
      length: { epochs: 5 },
      seed: 0,
      optimizer: adam(),
      learningRate: 0.001,
      schedule: { name: 'constant', warmup: 0 },
      listen: { host: '127.0.0.1', port: 0 },
      tls: false,
      minWorkers: 1,
      watchEvery: 0,
      audit: 0,
      checkpoints: { everyMs: 10_000 },
      runDir: undefined,
      weights: undefined,
      data: undefined,
      json: false,
    });
  });

  it('set the numbers of a schedule and of early stopping, which 0 takes back', () => {
    expect(parse({ schedule: 'cosine:warmup=100,floor=1e-1' }).schedule).toEqual(
      cosineDecay({ warmup: 100, floor: 0.1 }),
    );
    const stopping = { patience: 3, minDelta: 0.5, restoreBest: false };
    expect(parse({ earlyStopping: '3:minDelta=.5,restoreBest=false' }).earlyStopping).toEqual(stopping);
    const recipe = { ...RECIPE, earlyStopping: stopping, evaluateEvery: 7 };
    expect(parseTrainOptions('digits', recipe, SILENT, CORES)).toMatchObject({
      earlyStopping: stopping,
      evaluateEvery: 7,
    });
    const without = parseTrainOptions(
      'digits',
      recipe,
      { ...SILENT, earlyStopping: '0', evaluateEvery: '9' },
      CORES,
    );
    expect(without).toMatchObject({ earlyStopping: undefined, evaluateEvery: 9 });
  });

  it('are taken from the user', () => {
    const said = parse({
      workers: '3',
      threads: '2',
      backend: 'wasm-exact',
      batch: '64',
      leaf: '64',
      steps: '1000',
      seed: '4294967295',
      optimizer: 'sgd',
      lr: '1e-2',
      schedule: 'cosine',
      clipNorm: '1.5',
      listen: '[::1]:7700',
      minWorkers: '4',
      checkpointEvery: '50',
      weights: 'w',
      watchGradients: '10',
      audit: '0.25',
      runDir: 'a',
      data: 'b',
      json: true,
    });
    expect(said).toEqual({
      recipe: 'digits',
      workers: 3,
      threads: 2,
      backend: 'wasm-exact',
      batch: 64,
      leaf: 64,
      length: { steps: 1000 },
      seed: 4294967295,
      optimizer: sgd(),
      learningRate: 0.01,
      schedule: { name: 'cosine', warmup: 0, floor: 0 },
      clipping: { by: 'globalNorm', limit: 1.5 },
      listen: { host: '::1', port: 7700 },
      tls: false,
      minWorkers: 4,
      watchEvery: 10,
      audit: 0.25,
      checkpoints: { everySteps: 50 },
      weights: 'w',
      runDir: 'a',
      data: 'b',
      json: true,
    });
  });

  it("shrink the recipe's leaf to a smaller batch", () => {
    expect(parse({ batch: '8' }).leaf).toBe(8);
    expect(parse({ batch: '17' }).leaf).toBe(16);
  });

  it.each(['batch', 'workers', 'threads', 'leaf', 'steps', 'epochs', 'minWorkers'] as const)(
    'takes only positive whole numbers for %s',
    (name) => {
      const option = name === 'minWorkers' ? '--min-workers' : `--${name}`;
      // Without local workers others may do the work: that is another test.
      const none = name === 'workers' ? [] : ['0'];
      for (const wrong of [...none, '-1', '1.5', '1e3', '', ' 1', 'two', '0x10', '9999999999999999', 'NaN']) {
        const { message, exitCode } = refusal(() => parse({ [name]: wrong }));
        expect(message).toContain(`${option} takes a whole number from 1 to `);
        expect(message).toContain(`not "${wrong}"`);
        expect(exitCode).toBe(2);
      }
      expect(() => parse({ [name]: '1' })).not.toThrow();
    },
  );

  it('needs no local workers where others can join', () => {
    expect(parse({ workers: '0', listen: '0.0.0.0:7700' }).workers).toBe(0);
    expect(refusal(() => parse({ workers: '0' }))).toEqual({
      message: '--workers 0 needs --listen HOST:PORT, or nobody can join to do the work',
      exitCode: 2,
    });
  });

  it.each([
    [{ leaf: '129' }, '--leaf 129 exceeds the batch of 128 samples: take at most 128'],
    [{ batch: '8', leaf: '16' }, '--leaf 16 exceeds the batch of 8 samples: take at most 8'],
    [{ steps: '1', epochs: '1' }, '--steps and --epochs exclude each other: give one of them'],
    [{ seed: '4294967296' }, '--seed takes a whole number from 0 to 4294967295, not "4294967296"'],
    [{ seed: '-1' }, '--seed takes a whole number from 0 to 4294967295, not "-1"'],
    [
      { optimizer: 'adamant' },
      'there is no optimizer "adamant"; choose one of adagrad, adam, adamw, lion, muon, rmsprop, sgd',
    ],
    [{ schedule: 'cosine:height=1' }, 'the schedule cosine has no setting "height"; it has warmup, floor'],
    [{ schedule: 'cosine:floor' }, '--schedule takes settings such as cosine:KEY=0.5,KEY=2, not "floor"'],
    [{ earlyStopping: 'soon' }, '--early-stopping takes a whole number from 0 to 1000000, not "soon"'],
    [{ gradientNoise: 'much' }, '--gradient-noise takes a number above 0, such as 0.001, not "much"'],
    [{ clipNorm: '0' }, '--clip-norm takes a number above 0, such as 0.001, not "0"'],
    [{ clipNorm: '1', clipValue: '1' }, '--clip-norm and --clip-value exclude each other: give one of them'],
    [
      { schedule: 'cosinus' },
      'there is no schedule "cosinus"; choose one of constant, step, cosine, warmRestarts, oneCycle, exponential, reduceOnPlateau',
    ],
    [{ lr: '0' }, '--lr takes a number above 0, such as 0.001, not "0"'],
    [{ lr: '-1' }, '--lr takes a number above 0, such as 0.001, not "-1"'],
    [{ lr: 'Infinity' }, '--lr takes a number above 0, such as 0.001, not "Infinity"'],
    [{ lr: '1e999' }, '--lr takes a number above 0, such as 0.001, not "1e999"'],
    [{ lr: '1.2.3' }, '--lr takes a number above 0, such as 0.001, not "1.2.3"'],
    [{ backend: 'cuda' }, '--backend takes auto, native, wasm or wasm-exact, not "cuda"'],
  ])('refuses %j', (options, message) => {
    expect(refusal(() => parse(options))).toEqual({ message, exitCode: 2 });
  });

  it('refuses to listen on what is no address', () => {
    expect(refusal(() => parse({ listen: '7700' }))).toMatchObject({ exitCode: 2 });
  });

  it.each(['localhost:0', '0.0.0.0:65535', 'my-host.local:80'])('listens on %s', (listen) => {
    const [host, port] = listen.split(':');
    expect(parse({ listen }).listen).toEqual({ host, port: Number(port) });
  });
});
