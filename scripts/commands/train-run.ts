import { UserError } from '../../shared/errors.js';
import type { CommandContext } from './command.js';
import type { TrainSettings } from './train-options.js';

/** Trains as `settings` say; returns early, with everything saved, when the context is interrupted. */
export async function train(settings: TrainSettings, _context: CommandContext): Promise<void> {
  throw new UserError(`the parts that train ${settings.recipe} are not put together yet`);
}
