import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { parseCoordinatorMessage } from '../../shared/protocol/parse.js';
import { hello, NONCE } from '../coordinator/settings.js';
import { Duped, nextOf, WEIGHTS } from './duped.js';
import { mutated, parsed, pick, playSessions, SESSION_MESSAGES } from './mutation.js';
import { answerTo, HONEST, Siege } from './siege.js';

/*
 * Peers who know the token, and say what is almost right, in whatever order: mutated messages to a coordinator at work,
 * and from a coordinator to a node. UNISUM_FUZZ asks for more (each is some hundred times the work of a stranger's, so
 * there are a hundredth as many), UNISUM_SEED for a certain session.
 */
const MESSAGES = Number(process.env.UNISUM_FUZZ ?? 500_000) / 100;
const TIMEOUT_MS = 3_600_000;

describe('members that know the token and say what is almost right', () => {
  it(
    'neither stop the run nor get anything into it but what they owe',
    () => {
      const total = { steps: 0, refused: 0, heard: 0 };
      playSessions(MESSAGES, (seed) => {
        const random = new SeededRandom(seed);
        const siege = new Siege();
        const joined = new Set<string>();
        for (let i = 0; i < SESSION_MESSAGES; i++) {
          const id = `m${random.below(3)}`;
          if (!siege.state.members.has(id)) {
            joined.add(id);
            if (random.chance(0.7)) siege.join(id);
            else siege.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory: false });
          }
          const works = siege.owed.get(id) ?? [];
          const work = works[0] ?? {
            kind: 'work',
            step: siege.state.step,
            range: { from: 0, to: 4 },
            weights: false,
          };
          const legal: NodeToCoordinator[] = [
            answerTo(work),
            answerTo(work),
            hello(id),
            { kind: 'need', chunks: [0, 1] },
            { kind: 'ready' },
            { kind: 'pong', id: 1 },
            { kind: 'failed', step: work.step, reason: 'x' },
          ];
          total.heard += siege.says(id, mutated(pick(random, legal), random)) ? 1 : 0;
          if (random.chance(0.1)) siege.tell({ kind: 'disconnected', id, reason: 'gone' });
          if (random.chance(0.1)) siege.tell({ kind: 'tick' });
          if (random.chance(0.2)) siege.answer(pick(random, HONEST));
        }
        for (const id of joined) siege.tell({ kind: 'disconnected', id, reason: 'gone' });
        siege.goOn();
        siege.goOn();
        const answers = [...(siege.state.round?.tasks.values() ?? [])].flatMap((task) => task.answers);
        // Nothing lies about but what the round under way has.
        expect(siege.slots.size).toBe(answers.reduce((sum, { partials }) => sum + partials.length, 0));
        total.steps += siege.stepsDone;
        total.refused += siege.refused;
      });
      if (MESSAGES < SESSION_MESSAGES * 100) return;
      expect(total.heard).toBeGreaterThan(MESSAGES / 4);
      expect(total.refused).toBeGreaterThan(MESSAGES / 50);
      expect(total.steps).toBeGreaterThan(MESSAGES / 25);
    },
    TIMEOUT_MS,
  );
});

describe('a coordinator that knows the token and says what is almost right', () => {
  it(
    'has a node compute nothing but work of its run, with the weights of its step',
    () => {
      const total = { computed: 0, ended: 0, heard: 0 };
      playSessions(MESSAGES, (seed) => {
        const random = new SeededRandom(seed);
        let duped = new Duped();
        for (let i = 0; i < SESSION_MESSAGES; i++) {
          if (duped.hasEnded) {
            total.ended += 1;
            total.computed += duped.computed;
            duped = new Duped();
          }
          const message = parsed(parseCoordinatorMessage, mutated(nextOf(duped, random), random, 0.04));
          const isWork = message?.kind === 'work' && (message.weights || random.chance(0.02));
          const payload = new Uint8Array(isWork && !random.chance(0.02) ? WEIGHTS : random.below(3) * 9);
          if (message === undefined) continue;
          total.heard += 1;
          duped.tell({ kind: 'received', message, payload });
          if (random.chance(0.5)) duped.finishWork();
        }
        total.computed += duped.computed;
      });
      if (MESSAGES < SESSION_MESSAGES * 100) return;
      expect(total.heard).toBeGreaterThan(MESSAGES / 2);
      expect(total.ended).toBeGreaterThan(MESSAGES / 100);
      expect(total.computed).toBeGreaterThan(MESSAGES / 20);
    },
    TIMEOUT_MS,
  );
});
