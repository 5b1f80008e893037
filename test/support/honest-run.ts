import { cpSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { trainHere } from './in-process.js';

type Words = readonly (string | number)[];

/** Samples of the recipe iris that are trained on. */
const SAMPLES = 116;

/**
 * A run as people have them: drawn from a seed, interrupted, killed, resumed under the same or other settings, with
 * checkpoints and ends of lines lost on the way. It always ends, and nothing in it is a lie.
 */
export class HonestRun {
  private readonly random: SeededRandom;
  /** What happened, for a message. */
  readonly story: string[] = [];
  /** Whether a record was lost without which nothing can be proven. */
  hasLostRecord = false;
  private wasKilled = false;

  constructor(
    private readonly seed: number,
    readonly path: string,
  ) {
    this.random = new SeededRandom(seed);
  }

  /** Trains until the run has ended. */
  async train(): Promise<void> {
    const { random } = this;
    const steps = 10 + random.below(60);
    await this.session(['iris', ...this.settings(), '--steps', steps, '--run-dir', this.path], steps);
    for (let more = random.below(4); more > 0; more--) await this.resume(steps + 20 * (4 - more));
    // A run that was killed says nothing of its end.
    if (this.wasKilled) await this.session(['--resume', this.path], 0);
  }

  /** How members exchange, drawn apart: the other settings of a seed stay what they were. */
  private exchange(words: Words): Words {
    const random = new SeededRandom(this.seed ^ 0xc0dec);
    if (random.chance(0.2)) return ['--compress', ['bf16', 'int8', 'int4'][random.below(3)] as string];
    // Local updates have neither of these.
    const cannot = ['--gradient-noise', '--inspect-gradients', 'lion', 'rmsprop'].some((word) =>
      words.includes(word),
    );
    if (cannot || !random.chance(0.25)) return [];
    return ['--sync', `local:replicas=2,steps=${1 + random.below(4)}`];
  }

  private settings(): Words {
    const { random } = this;
    const pick = (...choices: readonly (string | number)[]): string | number =>
      choices[random.below(choices.length)] as string | number;
    const sometimes = (probability: number, ...words: Words): Words =>
      random.chance(probability) ? words : [];
    const words = [
      ...['--seed', random.below(1000), '--workers', pick(1, 1, 2, 3), '--batch', pick(16, 16, 24, 32)],
      ...['--checkpoint-every', pick(0, 1, 5, 7, 10, '1s'), '--keep-checkpoints', pick(1, 3, 'all')],
      ...['--leaf', pick(2, 4, 8), '--optimizer', pick('adam', 'sgd', 'rmsprop', 'lion')],
      ...sometimes(0.7, '--lr', pick(0.001, 0.01, 0.05, 0.05, 1e37, 1e38)),
      ...sometimes(0.4, '--evaluate-every', pick(1, 3, 5, 9)),
      ...sometimes(0.4, '--early-stopping', pick(2, 3, '2:restoreBest=false', '3:minDelta=0.1')),
      ...sometimes(0.5, '--schedule', pick('constant', 'cosine', 'reduceOnPlateau:factor=0.5,patience=1')),
      ...sometimes(0.2, '--clip-norm', 0.5),
      ...sometimes(0.2, '--gradient-noise', 0.01),
      ...sometimes(0.1, '--inspect-gradients', 5),
    ];
    return [...words, ...this.exchange(words)];
  }

  /** Loses something, or nothing, and goes on. */
  private async resume(steps: number): Promise<void> {
    const { random, path } = this;
    const folder = join(path, 'checkpoints');
    if (random.chance(0.2)) {
      const metrics = join(path, 'metrics.jsonl');
      const { size } = statSync(metrics);
      const lost = random.below(random.chance(0.5) ? 100 : size);
      truncateSync(metrics, size - lost);
      this.story.push(`lost the last ${lost} of ${size} bytes of its record`);
    }
    if (random.chance(0.2) && statSync(folder, { throwIfNoEntry: false })) {
      const names = readdirSync(folder).sort();
      const lost = random.chance(0.3) ? names : names.slice(-1);
      for (const name of lost) rmSync(join(folder, name));
      this.story.push(`lost ${lost.length} of ${names.length} checkpoints`);
    }
    const changes: Words = random.chance(0.5)
      ? []
      : [...['--steps', steps], ...(random.chance(0.5) ? ['--lr', random.chance(0.5) ? 0.02 : 0.005] : [])];
    await this.session(['--resume', path, ...changes], steps);
  }

  /** One session, which ends by itself, is interrupted, or killed. */
  private async session(words: Words, steps: number): Promise<void> {
    const { random, path } = this;
    const epochs = Math.max(1, Math.floor((steps * 16) / SAMPLES));
    const end = steps === 0 ? 'ends' : (['ends', 'is interrupted', 'is killed'] as const)[random.below(3)];
    const atEvaluation = 1 + random.below(2 * epochs);
    const killed = `${path}-killed`;
    let evaluations = 0;
    // Another process of this machine may have its port by now.
    rmSync(join(path, 'access.json'), { force: true });
    const { problem, text } = await trainHere(words, {
      onLine: (line, interrupt) => {
        if (!line.startsWith('epoch ')) return;
        evaluations += 1;
        if (evaluations !== atEvaluation || end === 'ends') return;
        // What a kill leaves at this moment. The process of the test lives on, so its lease is taken away.
        if (end === 'is killed') cpSync(path, killed, { recursive: true });
        interrupt();
      },
    });
    this.story.push(
      `${words.join(' ')}: ${end} at evaluation ${atEvaluation} of ${evaluations}; ${problem ?? ''}`,
    );
    // Only a run that diverges, or was to have fewer steps than it has done, may fail.
    if (problem !== undefined && !/not finite|not applied|already done/.test(problem))
      throw new Error(text + problem);
    if (text.includes('the run can no longer be verified')) this.hasLostRecord = true;
    if (text.includes('the run starts again at step 0')) this.hasLostRecord = false;
    this.wasKilled = statSync(killed, { throwIfNoEntry: false }) !== undefined;
    if (!this.wasKilled) return;
    rmSync(path, { recursive: true });
    cpSync(killed, path, { recursive: true });
    rmSync(killed, { recursive: true });
    rmSync(join(path, 'lease.json'), { force: true });
  }
}
