import type { Command } from 'commander';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { CommandContext } from './command.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';

/** `unisum eval <model>`: how good a trained model is on its recipe's test data. */
export function define(command: Command, { terminal }: CommandContext): void {
  addModelOptions(command).action(async (path: string, options: ModelOptions) => {
    const { model, data, parameters } = await openModel(path, options);
    try {
      const metrics = await model.evaluate();
      const { samples } = data.test.manifest;
      const figures = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
      terminal.say(`${samples} samples: ${figures.join(', ')}`);
      if (options.json) terminal.result({ metrics, samples, weightsSha256: weightsSha256(parameters) });
    } finally {
      await model.stop();
    }
  });
}
