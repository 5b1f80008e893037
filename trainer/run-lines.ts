/* Lines of a run that hold commands to be copied. */
import { checkpointsIn } from '../coordinator/storage/run-directory.js';
import { commandLine } from '../shared/command-line.js';
import { UserError } from '../shared/errors.js';
import { isLoopback } from '../shared/link/listen.js';
import {
  formatOperatePageUrl,
  formatOperateUrl,
  formatPageUrl,
  formatWatchPageUrl,
  formatWatchUrl,
  type JoinAddress,
  parseJoinUrl,
} from '../shared/protocol/join-url.js';
import { shellWord } from '../shared/shell-word.js';
import type { TrainSettings } from './options/train-options.js';
import { isRecipeFile } from './recipe.js';

/**
 * How others join and watch a run, and how its owner operates it.
 * @param operateToken permits operating it; undefined: nobody may
 */
export function joinLines(
  joinUrl: string,
  { listen, certificate, publicUrl }: Pick<TrainSettings, 'listen' | 'certificate' | 'publicUrl'>,
  operateToken: string | undefined,
): string[] {
  const address = parseJoinUrl(joinUrl);
  const watch = [
    `watch the run:  ${commandLine(`watch '${formatWatchUrl(address)}'`)}`,
    `  or open it in a browser:  ${formatWatchPageUrl(address, publicUrl)}`,
    ...operateLines(operateToken === undefined ? undefined : { ...address, token: operateToken }, publicUrl),
  ];
  const join = commandLine(`worker '${joinUrl}'`);
  const page = [`  or with a tab of a browser:  ${formatPageUrl(address, publicUrl)}`];
  // A page cannot compare the fingerprint, and people can.
  if (address.fingerprint !== undefined && certificate === undefined && publicUrl === undefined)
    page.push(`  browsers warn about its certificate; SHA-256 to compare:  ${asShown(address.fingerprint)}`);
  if (!isLoopback(listen.host)) return [`join from another machine:  ${join}`, ...page, ...watch];
  return [
    `join from this machine:  ${join}`,
    ...page,
    'other machines cannot join, as the run listens on loopback only; to let them:  --listen 0.0.0.0:0',
    ...watch,
  ];
}

/** A fingerprint as browsers show it. */
function asShown(fingerprint: string): string {
  return Buffer.from(fingerprint, 'base64url')
    .toString('hex')
    .toUpperCase()
    .replace(/(..)(?=.)/g, '$1:');
}

function operateLines(address: JoinAddress | undefined, publicUrl: string | undefined): string[] {
  if (address === undefined)
    return ['nobody can operate the run over its port: the version that started it had no link for that'];
  return [
    `pause, save or stop the run, remove members (keep it to yourself):  ${commandLine(`control '${formatOperateUrl(address)}' pause`)}`,
    `  or in a browser:  ${formatOperatePageUrl(address, publicUrl)}`,
  ];
}

/** The command that resumes a run. @param path its directory @param recipe its recipe, which is named if it is a file */
export function resumeCommand(path: string, recipe: string): string {
  return commandLine(
    `train ${isRecipeFile(recipe) ? `${shellWord(recipe)} ` : ''}--resume ${shellWord(path)}`,
  );
}

/** An error of a run; where its files cannot be written, with the way to finish it from what is there. */
export async function withRemedy(error: unknown, path: string | undefined, recipe: string): Promise<unknown> {
  if (path === undefined || !(error instanceof UserError) || !error.message.startsWith('cannot write '))
    return error;
  const step = (await checkpointsIn(path).steps()).at(-1);
  return step === undefined
    ? error
    : new UserError(
        `${error.message}; then finish the run from step ${step}:  ${resumeCommand(path, recipe)}`,
      );
}
