import { systemClock } from '../../shared/actor/clock.js';
import type { ListenAddress } from '../../shared/link/listen.js';
import type { ComputeSettings } from '../../trainer/options/compute-options.js';
import { TravelRun } from '../../trainer/travel/travel-run.js';
import { TravelView } from '../../trainer/travel/travel-view.js';
import { serveView } from '../../trainer/travel/view-server.js';
import type { CommandContext } from './command.js';
import { type ResolverSettings, sessionResolver } from './session-resolver.js';

/** Which run to show, and where. */
interface ViewSettings extends ComputeSettings, ResolverSettings {
  readonly path: string;
  readonly address: ListenAddress;
}

/** Serves the page of a run until the command is interrupted. @throws UserError when it is no run */
export async function runView(
  settings: ViewSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const { path, address, threads, backend } = settings;
  const run = await TravelRun.open(path, {
    resolve: sessionResolver(settings, terminal.stderr),
    computers: { workers: 1, threads, backend, clock: systemClock },
  });
  const server = await serveView(new TravelView(run, backend), address, systemClock);
  terminal.say(`${path}: ${run.lastStep} steps; open in a browser (Ctrl-C ends it):`);
  terminal.say(`  ${server.url}`);
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => resolve());
  });
  await server.close();
}
