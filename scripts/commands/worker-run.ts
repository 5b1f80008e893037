import { UserError } from '../../shared/errors.js';
import type { CommandContext } from './command.js';
import type { WorkerSettings } from './worker-options.js';

/** Works for the run at `settings.join` until it ends or the context is interrupted. */
export async function work(settings: WorkerSettings, _context: CommandContext): Promise<void> {
  throw new UserError(`the parts that work for ${settings.join.host} are not put together yet`);
}
