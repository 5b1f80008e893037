import { systemClock } from '../../shared/actor/clock.js';
import type { ComputeSettings } from '../../trainer/options/compute-options.js';
import { bisect } from '../../trainer/travel/bisect.js';
import { bisectionLines } from '../../trainer/travel/bisection.js';
import { TravelRun } from '../../trainer/travel/travel-run.js';
import type { CommandContext } from './command.js';
import { type ResolverSettings, sessionResolver } from './session-resolver.js';

/** Which runs to compare, and how. */
interface BisectSettings extends ComputeSettings, ResolverSettings {
  readonly paths: readonly [string, string];
  readonly workers: number;
  /** Where the data of the second run are; undefined: as `data`. */
  readonly otherData: string | undefined;
  readonly json: boolean;
}

/**
 * Finds where two runs part, and prints it.
 * @throws UserError when one of them is no run, or cannot be computed again
 */
export async function runBisect(settings: BisectSettings, { terminal }: CommandContext): Promise<void> {
  const { paths, workers, threads, backend, recipe, data, otherData = data, json } = settings;
  const computers = { workers, threads, backend, clock: systemClock };
  const open = (path: string, place: string | undefined): Promise<TravelRun> =>
    TravelRun.open(path, {
      resolve: sessionResolver({ recipe, data: place }, terminal.stderr),
      computers,
    });
  const runs = [await open(paths[0], data), await open(paths[1], otherData)] as const;
  const found = await bisect(runs, { backend, onProgress: (line) => terminal.say(line) });
  for (const line of bisectionLines(found)) terminal.say(line);
  if (json) terminal.result(found);
}
