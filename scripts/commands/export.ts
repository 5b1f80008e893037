import { type Command, Option } from 'commander';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { type ExportFormat, FORMATS, writeExport } from '../../trainer/formats/export-files.js';
import type { CommandContext } from './command.js';
import { addModelAndJsonOptions, loadModel, type ModelOptions, openModel } from './model-options.js';

interface ExportOptions extends ModelOptions {
  format: ExportFormat;
  out: string;
}

/** `unisum export <model>`: writes a trained model for other tools. */
export function define(command: Command, { terminal }: CommandContext): void {
  const formats = Object.entries(FORMATS).map(([name, what]) => `${name}: ${what}`);
  addModelAndJsonOptions(command, "with --recipe: local copy of the recipe's data")
    .description(
      'Write a trained model for other tools. predict and eval take the format unisum as they take the run. ' +
        'An ONNX model has the inputs and the output that predict has, and what model.json says as its metadata.',
    )
    .addOption(
      new Option('--format <NAME>', formats.join('; ')).choices(Object.keys(FORMATS)).default('unisum'),
    )
    .requiredOption('--out <DIR>', 'directory for the files')
    .action(async (path: string, options: ExportOptions) => {
      const opened = await openModel(path, options, terminal);
      const { stored, parameters } = opened;
      // Checks that the weights are those of the network.
      const model = await loadModel(opened, options, stored.network);
      await model.stop();
      const { files, notes } = await writeExport(stored, parameters, options);
      for (const note of notes) terminal.say(`note: ${note}`);
      const hash = weightsSha256(parameters);
      const count = parameters.reduce((sum, { values }) => sum + values.length, 0);
      terminal.say(`${count} parameters, ${hash}: ${files.join(', ')}`);
      if (options.json) terminal.result({ files, weightsSha256: hash, parameters: count });
    });
}
