import type { Command } from 'commander';
import { commandLine } from '../../shared/command-line.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { shellWord } from '../../shared/shell-word.js';
import { receiptOf } from '../../trainer/receipt/receipt.js';
import { isRecipeFile } from '../../trainer/recipe.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';

interface ReceiptOptions {
  out?: string;
  json?: true;
}

/** `unisum receipt <run-dir>`: writes what a run was made of and what it came to, for `unisum verify`. */
export function define(command: Command, { terminal }: CommandContext): void {
  command
    .description(
      'Write the receipt of a run: a small file with its settings, the hashes of its data, the hashes of its states, its ' +
        'evaluations and its end. Anybody with the recipe and its data can check it with unisum verify FILE.',
    )
    .argument('<run-dir>', 'directory of a run that has ended')
    .option('--out <FILE>', 'where to write it (default: receipt.json in the directory of the run)');
  addJsonOption(command).action(
    async (path: string, { out = `${path}/receipt.json`, json }: ReceiptOptions) => {
      const receipt = await receiptOf(path);
      await writeFileAtomically(out, [new TextEncoder().encode(`${JSON.stringify(receipt, null, 1)}\n`)]);
      const { step, reason, weightsSha256 } = receipt.end;
      terminal.say(`${out}: ${reason} at step ${step}, weights ${weightsSha256 ?? 'not finite'}`);
      const code = receipt.sessions.map(({ recipe }) => recipe).find(isRecipeFile);
      const named = code === undefined ? '' : ` --recipe ${shellWord(code)}`;
      terminal.say(`check it with:  ${commandLine(`verify ${shellWord(out)}${named}`)}`);
      terminal.say(`or a stretch of it in a browser:  ${commandLine(`view ${shellWord(path)}${named}`)}`);
      if (json) terminal.result({ files: [out], steps: step, exitReason: reason, weightsSha256 });
    },
  );
}
