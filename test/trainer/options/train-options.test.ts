import { describe, expect, it } from 'vitest';
import { UserError } from '../../../shared/errors.js';
import { adam } from '../../../shared/optim/adam.js';
import { cosineDecay } from '../../../shared/optim/schedule.js';
import { sgd } from '../../../shared/optim/sgd.js';
import {
  parseTrainOptions,
  type RecipeDefaults,
  type TrainOptions,
} from '../../../trainer/options/train-options.js';

const RECIPE: RecipeDefaults = { batch: 128, leafSize: 16, epochs: 5, optimizer: adam() };
const DEFAULTS: TrainOptions = {
  threads: '1',
  backend: 'auto',
  seed: '0',
  minWorkers: '1',
  audit: '0',
  placement: 'auto',
  checkpointEvery: '10s',
  keepCheckpoints: '3',
};
const CORES = 6;

const parse = (options: Partial<TrainOptions>) =>
  parseTrainOptions('digits', RECIPE, { ...DEFAULTS, ...options }, CORES);

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
  it('default to those of the recipe and the machine', () => {
    expect(parse({})).toEqual({
      recipe: 'digits',
      workers: CORES,
      threads: 1,
      backend: 'auto',
      batch: 128,
      sync: 'step',
      leafSize: 16,
      length: { epochs: 5 },
      seed: 0,
      optimizer: adam(),
      learningRate: 0.001,
      schedule: { name: 'constant', warmup: 0 },
      listen: { host: '127.0.0.1', port: 0 },
      tls: false,
      isAnnounced: false,
      minWorkers: 1,
      inspectEvery: 0,
      audit: 0,
      placement: 'auto',
      checkpoints: { everyMs: 10_000 },
      keepCheckpoints: 3,
      runDir: undefined,
      weights: undefined,
      data: undefined,
      json: false,
    });
  });

  it('set the numbers of a schedule and of early stopping; 0 switches early stopping off', () => {
    expect(parse({ schedule: 'cosine:warmup=100,floor=1e-1' }).schedule).toEqual(
      cosineDecay({ warmup: 100, floor: 0.1 }),
    );
    const stopping = { patience: 3, minDelta: 0.5, restoreBest: false };
    expect(parse({ earlyStopping: '3:minDelta=.5,restoreBest=false' }).earlyStopping).toEqual(stopping);
    const recipe = { ...RECIPE, earlyStopping: stopping, evaluateEvery: 7 };
    expect(parseTrainOptions('digits', recipe, DEFAULTS, CORES)).toMatchObject({
      earlyStopping: stopping,
      evaluateEvery: 7,
    });
    const without = parseTrainOptions(
      'digits',
      recipe,
      { ...DEFAULTS, earlyStopping: '0', evaluateEvery: '9' },
      CORES,
    );
    expect(without).toMatchObject({ earlyStopping: undefined, evaluateEvery: 9 });
  });

  it('override the defaults', () => {
    const given = parse({
      workers: '3',
      threads: '2',
      backend: 'wasm-exact',
      batch: '64',
      leafSize: '64',
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
      inspectGradients: '10',
      audit: '0.25',
      placement: 'all',
      runDir: 'a',
      data: 'b',
      json: true,
    });
    expect(given).toEqual({
      recipe: 'digits',
      workers: 3,
      threads: 2,
      backend: 'wasm-exact',
      batch: 64,
      sync: 'step',
      leafSize: 64,
      length: { steps: 1000 },
      seed: 4294967295,
      optimizer: sgd(),
      learningRate: 0.01,
      schedule: { name: 'cosine', warmup: 0, floor: 0 },
      clipping: { by: 'globalNorm', limit: 1.5 },
      listen: { host: '::1', port: 7700 },
      tls: false,
      isAnnounced: false,
      minWorkers: 4,
      inspectEvery: 10,
      audit: 0.25,
      placement: 'all',
      checkpoints: { everySteps: 50 },
      keepCheckpoints: 3,
      weights: 'w',
      runDir: 'a',
      data: 'b',
      json: true,
    });
  });

  it('take local updates, of which a recipe counts lengths in optimizer steps', () => {
    const sync = { replicas: 4, steps: 30 };
    expect(parse({ sync: 'local' }).sync).toEqual(sync);
    expect(parse({ sync: 'local:steps=7,replicas=2' }).sync).toEqual({ replicas: 2, steps: 7 });
    expect(parse({ sync: 'step' }).sync).toBe('step');
    const recipe = { ...RECIPE, sync, leafSize: 64, steps: 100, evaluateEvery: 61 };
    const settings = parseTrainOptions('digits', recipe, DEFAULTS, CORES);
    // A batch of 128 is 32 samples for each of 4 replicas; 100 and 61 optimizer steps are 4 and 3 rounds of 30.
    expect(settings).toMatchObject({ sync, leafSize: 32, length: { steps: 4 }, evaluateEvery: 3 });
    const perStep = parseTrainOptions('digits', recipe, { ...DEFAULTS, sync: 'step' }, CORES);
    expect(perStep).toMatchObject({ leafSize: 64, length: { steps: 100 }, evaluateEvery: 61 });
  });

  it.each<[Partial<TrainOptions>, string]>([
    [{ sync: 'async' }, '--sync takes step, or local:replicas=R,steps=H, not "async"'],
    [{ sync: 'local:replicas=0' }, 'not a valid sync of local updates: '],
    [{ sync: 'local:rounds=3' }, 'not a valid sync of local updates: '],
    [
      { sync: 'local:replicas=3' },
      '3 replicas cannot share a batch of 128 samples: take a multiple of 3, such as 129 (--batch), or other replicas',
    ],
    [
      { sync: 'local', optimizer: 'lion' },
      'local updates work with adam, adamw and sgd, not with lion: choose one of these (--optimizer), or --sync step',
    ],
    [{ sync: 'local', gradientNoise: '0.1' }, 'local updates have no gradient noise: '],
    [{ sync: 'local', inspectGradients: '5' }, '--inspect-gradients looks into single steps: '],
    [{ sync: 'local', leafSize: '64' }, '--leaf-size 64 exceeds the batch of 32 samples: take at most 32'],
  ])('refuse what local updates cannot do: %j', (options, message) => {
    expect(() => parse(options)).toThrow(message);
  });

  it("shrink the recipe's leaf size to a smaller batch", () => {
    expect(parse({ batch: '8' }).leafSize).toBe(8);
    expect(parse({ batch: '17' }).leafSize).toBe(16);
  });

  it.each(['batch', 'workers', 'threads', 'leafSize', 'steps', 'epochs', 'minWorkers'] as const)(
    'take only positive whole numbers: %s',
    (name) => {
      const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      // Zero local workers are allowed with --listen; another test covers that.
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

  it('allow no local workers where remote ones can join', () => {
    expect(parse({ workers: '0', listen: '0.0.0.0:7700' }).workers).toBe(0);
    expect(refusal(() => parse({ workers: '0' }))).toEqual({
      message: '--workers 0 needs --listen HOST:PORT, so that remote workers can join',
      exitCode: 2,
    });
  });

  it.each([
    [{ leafSize: '129' }, '--leaf-size 129 exceeds the batch of 128 samples: take at most 128'],
    [{ batch: '8', leafSize: '16' }, '--leaf-size 16 exceeds the batch of 8 samples: take at most 8'],
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
    [{ placement: 'some' }, '--placement takes auto or all, not "some"'],
    [{ backend: 'cuda' }, '--backend takes auto, native, wasm or wasm-exact, not "cuda"'],
  ])('refuse %j', (options, message) => {
    expect(refusal(() => parse(options))).toEqual({ message, exitCode: 2 });
  });

  it('refuse a wrong address', () => {
    expect(refusal(() => parse({ listen: '7700' }))).toMatchObject({ exitCode: 2 });
  });

  it.each(['localhost:0', '0.0.0.0:65535', 'my-host.local:80'])('accept the address %s', (listen) => {
    const [host, port] = listen.split(':');
    expect(parse({ listen }).listen).toEqual({ host, port: Number(port) });
  });
});
