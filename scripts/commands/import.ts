import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { importNetwork } from '../../trainer/formats/import-network.js';
import type { CommandContext } from './command.js';

interface ImportCommandOptions {
  out: string;
  inputShape: string[];
  output?: string;
  json?: boolean;
}

/** `unisum import <file>`: reads a network that was trained elsewhere. */
export function define(command: Command, { terminal }: CommandContext): void {
  command
    .description(
      'Read a network that was trained elsewhere, with its weights. predict, eval and export take the result as they take a run, and ' +
        'train continues from it with --weights. What cannot be translated is named, all of it at once.',
    )
    .argument(
      '<file>',
      'an ONNX file, a .keras file of Keras 3, or the model.json of a TensorFlow.js layers model',
    )
    .requiredOption('--out <DIR>', 'directory for the network and its weights')
    .option(
      '--input-shape <NAME=SIZES>',
      'shape of one sample of an input that the file leaves open, such as x=3,48,192; may be given for several inputs',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--output <NAME>', 'output of the network to take (default: the first)')
    .option('--json', 'print the result as JSON')
    .action(async (path: string, options: ImportCommandOptions) => {
      const { output, out } = options;
      const inputs = Object.fromEntries(options.inputShape.map(parseShape));
      const imported = await importNetwork(path, { inputs, ...(output !== undefined && { output }) });
      const network = imported.model();
      const weights = imported.weights(network);
      const files = await imported.save(out);
      const hash = weightsSha256([...weights]);
      const count = weights.reduce((sum, { values }) => sum + values.length, 0);
      const { loss } = network;
      for (const note of imported.notes) terminal.say(`note: ${note}`);
      terminal.say(`${network.nodes.length} layers, ${count} parameters, ${hash}: ${files.join(', ')}`);
      terminal.say(`loss ${loss.kind}${loss.target === undefined ? '' : ` of the field ${loss.target}`}`);
      if (options.json)
        terminal.result({
          files,
          weightsSha256: hash,
          parameters: count,
          loss: loss.kind,
          inputs: network.inputs,
        });
    });
}

/** @throws UserError when it is not NAME=SIZES */
function parseShape(text: string): [string, number[]] {
  const [, name, sizes = ''] = /^(.+)=([\d,]*)$/.exec(text) ?? [];
  const shape = sizes === '' ? [] : sizes.split(',').map(Number);
  if (name !== undefined && shape.every((size) => Number.isInteger(size) && size > 0)) return [name, shape];
  throw new UserError(`--input-shape takes NAME=SIZES, such as x=3,48,192, not ${text}`, 2);
}
