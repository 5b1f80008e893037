import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { nearest } from '../../shared/nearest.js';
import { parseBackend } from '../../trainer/options/compute-options.js';
import { positiveNumber, wholeNumber } from '../../trainer/options/option-values.js';
import { SMALL_NETS } from '../reports/explain/nets.js';
import { describeWalk } from '../reports/explain/text.js';
import { walkStep } from '../reports/explain/walk.js';
import { fillPage } from '../reports/page.js';
import type { CommandContext } from './command.js';
import { addBackendOption, addJsonOption } from './compute-options.js';

/** Enough to see a small network learn, few enough to finish at once. */
const STEPS_MAX = 100_000;

interface ExplainOptions {
  backend: string;
  seed: string;
  steps: string;
  lr?: string;
  html?: string;
  json?: true;
}

/** `unisum explain [net]`: one step of backpropagation with all of its numbers. */
export function define(command: Command, { terminal }: CommandContext): void {
  command
    .description(
      'Print one training step of a small network, neuron by neuron: forward pass, loss, error terms, gradients and ' +
        'update, each formula with its numbers.',
    )
    .argument('[net]', 'name of a small network', 'xor')
    .option('--steps <S>', 'explain step S', '1')
    .option('--seed <K>', 'seed of the initial weights', '0')
    .option('--lr <X>', "learning rate (default: the network's)")
    .option('--html <FILE>', 'write the step as an interactive page');
  addJsonOption(addBackendOption(command))
    .addHelpText(
      'after',
      `\nNetworks:\n${SMALL_NETS.map(({ name, summary }) => `  ${name.padEnd(22)}${summary}`).join('\n')}`,
    )
    .action(async (name: string, options: ExplainOptions) => {
      const net = findNet(name);
      const walk = await walkStep(net, {
        seed: wholeNumber('--seed', options.seed, { least: 0, most: 2 ** 32 - 1 }),
        learningRate: options.lr === undefined ? net.learningRate : positiveNumber('--lr', options.lr),
        step: wholeNumber('--steps', options.steps, { least: 1, most: STEPS_MAX }),
        backend: parseBackend(options.backend),
      });
      for (const line of describeWalk(walk, Boolean(terminal.stderr.isTTY))) terminal.say(line);
      if (options.html !== undefined) {
        const page = await fillPage(new URL('../reports/explain/page/', import.meta.url), walk);
        await writeFileAtomically(options.html, [Buffer.from(page)]);
        terminal.say(`\ninteractive page: ${options.html}`);
      }
      if (options.json) terminal.result(walk);
    });
}

function findNet(name: string): (typeof SMALL_NETS)[number] {
  const found = SMALL_NETS.find((net) => net.name === name);
  if (found !== undefined) return found;
  const names = SMALL_NETS.map((net) => net.name);
  const near = nearest(name, names);
  throw new UserError(
    `there is no network "${name}"; ${near ? `did you mean ${near}?` : `the networks are: ${names.join(', ')}`}`,
    2,
  );
}
