import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { SMALL_NETS } from '../explain/nets.js';
import { describeWalk } from '../explain/text.js';
import { walkStep } from '../explain/walk.js';
import { fillPage } from '../pages/page.js';
import { nearest } from '../terminal/nearest.js';
import type { CommandContext } from './command.js';
import { addBackendOption, parseBackend } from './node-options.js';
import { positiveNumber, wholeNumber } from './numbers.js';

/** Enough to see a small net learn, few enough to be done at once. */
const MOST_STEPS = 100_000;

interface ExplainOptions {
  backend: string;
  seed: string;
  steps: string;
  lr?: string;
  html?: string;
  json?: true;
}

/** `unisum explain [net]`: one step of backpropagation, every number filled in. */
export function define(command: Command, { terminal }: CommandContext): void {
  command
    .argument('[net]', 'which small net', 'xor')
    .option('--seed <K>', 'seed of the first weights', '0')
    .option('--lr <X>', "learning rate (default: the net's)")
    .option('--steps <S>', 'walk this step, after those before it', '1')
    .option('--html <FILE>', 'draw the step as a page to click through');
  addBackendOption(command)
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .addHelpText(
      'after',
      `\nNets:\n${SMALL_NETS.map(({ name, summary }) => `  ${name.padEnd(22)}${summary}`).join('\n')}`,
    )
    .action(async (name: string, options: ExplainOptions) => {
      const net = findNet(name);
      const walk = await walkStep(net, {
        seed: wholeNumber('--seed', options.seed, { least: 0, most: 2 ** 32 - 1 }),
        learningRate: options.lr === undefined ? net.learningRate : positiveNumber('--lr', options.lr),
        step: wholeNumber('--steps', options.steps, { least: 1, most: MOST_STEPS }),
        backend: parseBackend(options.backend),
      });
      for (const line of describeWalk(walk, Boolean(terminal.stderr.isTTY))) terminal.say(line);
      if (options.html !== undefined) {
        const page = await fillPage(new URL('../explain/page/', import.meta.url), walk);
        await writeFileAtomically(options.html, [Buffer.from(page)]);
        terminal.say(`\nto click through: ${options.html}`);
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
    `there is no net "${name}"; ${near ? `did you mean ${near}?` : `the nets are: ${names.join(', ')}`}`,
    2,
  );
}
