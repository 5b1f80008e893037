import { existsSync, readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { buildNativeKernels, nativeBuildIsDue } from '../../shared/kernels/native-build.js';
import { addonFile, nativeFolder, reasonFile } from '../../shared/kernels/native-kernels.js';
import {
  BACKEND_CHOICES,
  type BackendChoice,
  type ComputeOptions,
} from '../../trainer/options/compute-options.js';
import { processTerminal } from '../terminal/terminal.js';

/** Declares `--threads` and `--backend` on a command. */
export function addComputeOptions(command: Command): Command {
  return addBackendOption(command.option('--threads <T>', 'compute threads per worker', '1'));
}

/** Declares `--backend` alone, for commands that decide on threads themselves. */
export function addBackendOption(command: Command): Command {
  const choices = `${BACKEND_CHOICES.join(', ')}; all give the same bits`;
  return command
    .addOption(new Option('--backend <name>', `kernel build: ${choices}`).default('auto', 'auto'))
    .hook('preAction', async (_program, action) => {
      const { backend } = action.opts<ComputeOptions>();
      if (!nativeBuildIsDue(backend as BackendChoice)) return;
      const { say } = processTerminal();
      say('compiling the kernels for this machine (up to half a minute, once)');
      await buildNativeKernels();
      const folder = nativeFolder();
      if (existsSync(addonFile(folder))) return;
      say(`native kernels not built, using wasm (${whyNotBuilt(folder)})`);
    });
}

/** Declares `--json` on a command. */
export function addJsonOption(command: Command): Command {
  return command.option('--json', 'print the result as one JSON object on the last line of stdout');
}

function whyNotBuilt(folder: string): string {
  const file = reasonFile(folder);
  if (!existsSync(file)) return `${folder} is not writable; XDG_CACHE_HOME names another place`;
  return `${readFileSync(file, 'utf8').trim()}; to try again, delete ${folder}`;
}
