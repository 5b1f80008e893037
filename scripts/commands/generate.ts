import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { generationRequest } from '../../trainer/generation/generate-options.js';
import { TextGenerator } from '../../trainer/generation/generator.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';
import { addModelOptions, loadModel, type ModelOptions, openModel } from './model-options.js';

interface GenerateOptions extends ModelOptions {
  prompt: string;
  length: string;
  temperature: string;
  topK?: string;
  topP: string;
  seed: string;
  cache: boolean;
}

/** `unisum generate <model>`: continues a text with a language model. */
export function define(command: Command, { terminal, interrupted }: CommandContext): void {
  addJsonOption(addModelOptions(command, "with --recipe: local copy of the recipe's data"))
    .description(
      'Continue a text with a model that was trained on one. The text goes to stdout, character by character. It depends on ' +
        'the weights, the prompt and the options below, and is the same on every machine.',
    )
    .option('--prompt <TEXT>', 'the text to go on from', '\n')
    .option('--length <N>', 'characters to write', '200')
    .option('--temperature <T>', '0 takes the likeliest character; more is more varied', '1')
    .option('--top-k <K>', 'draw from the K likeliest characters (default: all)')
    .option('--top-p <P>', 'draw from the likeliest characters that together have this probability', '1')
    .option('--seed <K>', 'seed of the draws', '0')
    .option('--no-cache', 'compute a whole window for every character; the text is the same')
    .action(async (path: string, options: GenerateOptions) => {
      const request = generationRequest(options.prompt, {
        ...{ length: numberOf('--length', options.length), seed: numberOf('--seed', options.seed) },
        temperature: numberOf('--temperature', options.temperature),
        topP: numberOf('--top-p', options.topP),
        ...(options.topK !== undefined && { topK: numberOf('--top-k', options.topK) }),
        cache: options.cache,
      });
      const opened = await openModel(path, options, terminal);
      const { stored } = opened;
      const model = await loadModel(opened, options, stored.network);
      try {
        const generator = new TextGenerator(stored.network, stored, model);
        if (request.cache && generator.unsupported !== undefined)
          terminal.say(`written without a cache: ${generator.unsupported} has no form for one position`);
        let text = '';
        for await (const symbol of generator.write(request)) {
          text += symbol;
          if (!options.json) terminal.print(symbol);
          if (interrupted.aborted) break;
        }
        if (options.json) terminal.result({ prompt: request.prompt, text });
        else terminal.print('\n');
      } finally {
        await model.stop();
      }
    });
}

function numberOf(option: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new UserError(`${option} takes a number, not "${text}"`, 2);
}
