import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { sessionResolver } from '../../scripts/commands/session-resolver.js';
import { systemClock } from '../../shared/actor/clock.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { TravelRun } from '../../trainer/travel/travel-run.js';
import { type MemoryFault, withFaultyMemory } from './faulty-memory.js';
import { editLines } from './metrics.js';

/**
 * Makes a run directory out of an honest one: its steps are computed again, perhaps with a faulty memory, and recorded as
 * they come out. Unlike a run that writes its checkpoints beside its steps, it has exactly the states that are asked for.
 * @param states steps whose states are kept
 */
export async function remakeRun(
  from: string,
  to: string,
  states: readonly number[],
  fault?: MemoryFault,
): Promise<void> {
  cpSync(from, to, { recursive: true });
  const folder = join(to, 'checkpoints');
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const repair = fault === undefined ? () => {} : withFaultyMemory(fault);
  try {
    const run = await TravelRun.open(from, {
      resolve: sessionResolver({ recipe: undefined, data: undefined }, process.stderr),
      computers: { workers: 1, threads: 1, backend: 'auto', clock: systemClock },
    });
    const wanted = [...new Set([...states, run.lastStep])].sort((a, b) => a - b);
    const computed = await run.recompute(wanted, undefined);
    for (const step of states) {
      const state = computed.states.get(step);
      if (state === undefined) throw new Error(`there is no state of step ${step}`);
      const { pieces } = await encodeCheckpoint(state, sha256Hex);
      writeFileSync(
        join(folder, `step-${String(step).padStart(13, '0')}.safetensors`),
        Buffer.concat(pieces),
      );
    }
    const checkpointOf = (step: number) => {
      const state = computed.states.get(step);
      if (state === undefined || !states.includes(step)) return [];
      const { weightsSha256, sha256 } = state;
      return [{ event: 'checkpoint', step, weightsSha256, sha256 }];
    };
    editLines(join(to, 'metrics.jsonl'), (lines) =>
      lines
        .filter(({ event }) => event !== 'checkpoint')
        .flatMap((line) => {
          const { event, step } = line;
          if (event === 'begun') return [line, ...checkpointOf(0)];
          if (event === 'ended')
            return [{ ...line, weightsSha256: computed.states.get(step)?.weightsSha256 }];
          if (event !== undefined) return [line];
          if (!('epoch' in line)) return [{ ...line, ...computed.evaluations.get(step) }];
          return [{ ...line, ...computed.means.get(step) }, ...checkpointOf(step)];
        }),
    );
  } finally {
    repair();
  }
}
