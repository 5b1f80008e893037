import { join } from 'node:path';
import type { Command } from 'commander';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { explainFileError } from '../../shared/files/file-error.js';
import { makeDirectories } from '../../shared/files/make-directory.js';
import { saveSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { CommandContext } from './command.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';

/** `unisum export <model>`: weights and network, for other tools. */
export function define(command: Command, { terminal }: CommandContext): void {
  addModelOptions(command)
    .requiredOption('--out <DIR>', 'where to write model.safetensors and model.json')
    .action(async (path: string, options: ModelOptions & { out: string }) => {
      const { model, parameters } = await openModel(path, options, terminal);
      await model.stop();
      const files = [join(options.out, 'model.safetensors'), join(options.out, 'model.json')] as const;
      try {
        await makeDirectories(options.out);
      } catch (error) {
        throw explainFileError(error, `cannot make ${options.out}`);
      }
      const hash = weightsSha256(parameters);
      await saveSafetensors(files[0], parameters, { format: 'unisum', weightsSha256: hash });
      const graph = new TextEncoder().encode(`${JSON.stringify(model.model, null, 2)}\n`);
      await writeFileAtomically(files[1], [graph]);
      const count = parameters.reduce((sum, { values }) => sum + values.length, 0);
      terminal.say(`${count} parameters, ${hash}: ${files.join(', ')}`);
      if (options.json) terminal.result({ files, weightsSha256: hash, parameters: count });
    });
}
