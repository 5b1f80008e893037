import { Command } from 'commander';
import { expect, it } from 'vitest';
import type { CommandContext } from '../../../scripts/commands/command.js';
import { define as defineTrain } from '../../../scripts/commands/train.js';
import { define as defineWorker } from '../../../scripts/commands/worker.js';
import { OPTION_NAMES } from '../../../trainer/options/typed-options.js';

function optionsOf(define: (command: Command, context: CommandContext) => void): string[] {
  const command = new Command();
  define(command, {} as CommandContext);
  return [...new Set(command.options.map((option) => option.attributeName()))];
}

it('every option of the command line has its typed form', () => {
  const own = ['json'];
  expect([...OPTION_NAMES].sort()).toEqual(
    optionsOf(defineTrain)
      .filter((name) => !own.includes(name))
      .sort(),
  );
  // A program that stays for the next run calls join() again.
  expect(optionsOf(defineWorker).sort()).toEqual(['backend', 'json', 'memory', 'name', 'stay', 'threads']);
});
