import type { Command } from 'commander';
import { parseWatchUrl } from '../../shared/protocol/join-url.js';
import type { CommandContext } from './command.js';

/** `unisum watch <url>`: the progress of a run that is coordinated elsewhere. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument('<url>', 'the line that the run printed, wss://HOST:PORT/watch#TOKEN.FINGERPRINT')
    .option('--json', 'print everything that is told as one JSON object a line on stdout')
    .action(async (url: string, { json = false }: { json?: boolean }) => {
      const address = parseWatchUrl(url);
      const { watch } = await import('./watch-run.js');
      await watch({ address, json }, context);
    });
}
