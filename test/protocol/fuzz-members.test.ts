import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { WorkerToCoordinator } from '../../shared/protocol/messages.js';
import { parseCoordinatorMessage } from '../../shared/protocol/parse.js';
import { hello, NONCE } from '../coordinator/settings.js';
import { answerTo, FuzzedCoordinator, HONEST, segmentsOf } from './fuzzed-coordinator.js';
import { FuzzedWorker, nextOf } from './fuzzed-worker.js';
import { mutated, parsed, pick, playSessions, SESSION_MESSAGES } from './mutation.js';

/*
 * Peers that know the token and send almost valid messages in any order: mutated messages to a coordinator at work, and
 * from a coordinator to a worker. UNISUM_FUZZ sets their number (each takes some hundred times as long as a stream of
 * fuzz.test.ts, so there are a hundredth as many), UNISUM_SEED the first session.
 */
const MESSAGES = Number(process.env.UNISUM_FUZZ ?? 500_000) / 100;
const TIMEOUT_MS = 3_600_000;

describe('members that know the token and send almost valid messages', () => {
  it(
    'neither stop the run nor add anything to it but the sums that they owe',
    () => {
      const total = { steps: 0, refused: 0, heard: 0 };
      playSessions(MESSAGES, (seed) => {
        const random = new SeededRandom(seed);
        const coordinator = new FuzzedCoordinator();
        const joined = new Set<string>();
        for (let i = 0; i < SESSION_MESSAGES; i++) {
          const id = `m${random.below(3)}`;
          if (!coordinator.state.membership.members.has(id)) {
            joined.add(id);
            if (random.chance(0.7)) coordinator.join(id);
            else coordinator.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory: false, address: id });
          }
          const works = coordinator.owed.get(id) ?? [];
          const work = works[0] ?? {
            kind: 'work',
            step: coordinator.state.training.step,
            range: { from: 0, to: 4 },
            weights: false,
          };
          const legal: WorkerToCoordinator[] = [
            answerTo(work),
            answerTo(work),
            ...pick(random, [segmentsOf(work), [pick(random, segmentsOf(work))]]),
            hello(id),
            { kind: 'need', chunks: [0, 1] },
            { kind: 'ready' },
            { kind: 'pong', id: 1 },
            { kind: 'failed', step: work.step, reason: 'x' },
          ];
          // Now and then a whole answer; otherwise one message, and its payload may be wrong.
          const messages = random.chance(0.3) ? [...segmentsOf(work), answerTo(work)] : [pick(random, legal)];
          for (const message of messages) {
            const bytes = random.chance(0.97) ? undefined : random.below(9);
            total.heard += coordinator.says(id, mutated(message, random), bytes) ? 1 : 0;
          }
          if (random.chance(0.1)) coordinator.disconnect(id);
          if (random.chance(0.1)) coordinator.tell({ kind: 'tick', secret: 's' });
          if (random.chance(0.2)) coordinator.answer(pick(random, HONEST));
        }
        for (const id of joined) coordinator.disconnect(id);
        coordinator.goOn();
        coordinator.goOn();
        const answers = [...(coordinator.state.scheduling.current?.tasks.values() ?? [])].flatMap(
          (task) => task.answers,
        );
        // No buffers are in use but those of the current step.
        expect(coordinator.buffers.size).toBe(
          answers.reduce((sum, { partialSums }) => sum + partialSums.length, 0),
        );
        total.steps += coordinator.stepsDone;
        total.refused += coordinator.refused;
      });
      if (MESSAGES < SESSION_MESSAGES * 100) return;
      expect(total.heard).toBeGreaterThan(MESSAGES / 4);
      expect(total.refused).toBeGreaterThan(MESSAGES / 50);
      expect(total.steps).toBeGreaterThan(MESSAGES / 25);
    },
    TIMEOUT_MS,
  );
});

describe('a coordinator that knows the token and sends almost valid messages', () => {
  it(
    'makes a worker compute nothing but work of its run, with the weights of its step',
    () => {
      const total = { computed: 0, ended: 0, heard: 0 };
      playSessions(MESSAGES, (seed) => {
        const random = new SeededRandom(seed);
        let worker = new FuzzedWorker();
        for (let i = 0; i < SESSION_MESSAGES; i++) {
          if (worker.hasEnded) {
            total.ended += 1;
            total.computed += worker.computed;
            worker = new FuzzedWorker();
          }
          const message = parsed(parseCoordinatorMessage, mutated(nextOf(worker, random), random, 0.04));
          const due = message?.kind === 'segment' ? 4 : 0;
          const payload = new Uint8Array(random.chance(0.98) ? due : random.below(3) * 4);
          if (message === undefined) continue;
          total.heard += 1;
          worker.tell({ kind: 'received', message, payload });
          if (random.chance(0.5)) worker.finishWork();
        }
        total.computed += worker.computed;
      });
      if (MESSAGES < SESSION_MESSAGES * 100) return;
      expect(total.heard).toBeGreaterThan(MESSAGES / 2);
      expect(total.ended).toBeGreaterThan(MESSAGES / 100);
      expect(total.computed).toBeGreaterThan(MESSAGES / 20);
    },
    TIMEOUT_MS,
  );
});
