import { Argument, type Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { parseOperateUrl } from '../../shared/protocol/join-url.js';
import { CONTROL_ACTIONS, type ControlAction, namesMember } from '../../shared/protocol/watch-messages.js';
import type { CommandContext } from './command.js';

/** `unisum control <url> <action> [member]`: operates a run that is coordinated elsewhere. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Operate a run from anywhere. pause and resume; save: a checkpoint now; stop: save a checkpoint and end the run; ' +
        'close: refuse machines that have not been members before; open: admit them again; remove: a member, which may ' +
        'join again; ban: a machine for good, with what nobody has confirmed of it.',
    )
    .argument('<url>', 'operate line that the run printed: wss://HOST:PORT/operate#TOKEN.FINGERPRINT')
    .addArgument(new Argument('<action>', 'what to do').choices(CONTROL_ACTIONS))
    .argument('[member]', 'of remove and ban: the name or id of a member, or the key of its machine')
    .action(async (url: string, action: ControlAction, member: string | undefined) => {
      const address = parseOperateUrl(url);
      if (namesMember(action) !== (member !== undefined))
        throw new UserError(
          member === undefined
            ? `name the member: ${action} MEMBER`
            : `${action} is about the whole run: leave out ${member}`,
          2,
        );
      const { control } = await import('./control-run.js');
      await control(address, { action, ...(member !== undefined && { member }) }, context);
    });
}
