import type { Command } from 'commander';
import { parseWatchUrl } from '../../shared/protocol/join-url.js';
import type { CommandContext } from './command.js';

/** `unisum watch <url>`: follows the progress of a run that is coordinated elsewhere. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Follow the progress of a run from anywhere, without taking part in it. Ctrl-C stops watching.',
    )
    .argument('<url>', 'watch line that the run printed: wss://HOST:PORT/watch#TOKEN.FINGERPRINT')
    .option('--json', 'print every message of the run as one JSON object per line on stdout')
    .action(async (url: string, { json = false }: { json?: boolean }) => {
      const address = parseWatchUrl(url);
      const { watch } = await import('./watch-run.js');
      await watch({ address, json }, context);
    });
}
