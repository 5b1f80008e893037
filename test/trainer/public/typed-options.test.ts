import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../scripts/commands/command.js';
import { define as defineTrain } from '../../../scripts/commands/train.js';
import { define as defineWorker } from '../../../scripts/commands/worker.js';
import { OPTION_NAMES, type TypedOptions, textsOf } from '../../../trainer/options/typed-options.js';

function optionsOf(define: (command: Command, context: CommandContext) => void): string[] {
  const command = new Command();
  define(command, {} as CommandContext);
  return [...new Set(command.options.map((option) => option.attributeName()))];
}

it('every option of the command line has its typed form', () => {
  // A program that waits for another one's end does so before it trains.
  const own = ['json', 'standby'];
  expect([...OPTION_NAMES].sort()).toEqual(
    optionsOf(defineTrain)
      .filter((name) => !own.includes(name))
      .sort(),
  );
  // A program that stays for the next run calls join() again.
  expect(optionsOf(defineWorker).sort()).toEqual([
    'backend',
    'joinFile',
    'json',
    'memory',
    'name',
    'stay',
    'threads',
  ]);
});

describe('a value that no option of the command line could have', () => {
  it.each([
    ['runDir', null],
    ['runDir', {}],
    ['runDir', true],
    ['batch', [32]],
    ['workers', false],
    ['schedule', ['cosine']],
    ['lr', () => 0.1],
    ['listen', true],
  ])('is refused by name: %s', (name, value) => {
    expect(() => textsOf({ [name]: value } as TypedOptions)).toThrow(
      new RegExp(`^train\\(\\) takes no .+ as ${name}; leave it out`),
    );
  });

  it('is none of those that switch something on or off', () => {
    expect(
      textsOf({
        tls: false,
        resume: true,
        inspectGradients: true,
        gradientNoise: false,
        earlyStopping: false,
      }).given,
    ).toEqual({ tls: false, resume: true, inspectGradients: true, gradientNoise: '0', earlyStopping: '0' });
  });
});
