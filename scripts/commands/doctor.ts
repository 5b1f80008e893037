import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';

/** What stands before a finding. */
const MARKS = { good: 'ok', advice: 'note', broken: 'FAULT' } as const;

/** `unisum doctor`: what of this machine helps or hinders training. */
export function define(command: Command, { terminal }: CommandContext): void {
  command.description(
    'Look at this machine: cores and CPU quota, load, memory, builds of the kernels with their self-test, ports, open files ' +
      'and clock, and what would make training faster. Exits with status 1 when something keeps it from training.',
  );
  addJsonOption(command).action(async (options: { json?: true }) => {
    const { surveyMachine } = await import('../doctor/machine-survey.js');
    const { diagnoseMachine } = await import('../doctor/diagnosis.js');
    const survey = await surveyMachine();
    const findings = diagnoseMachine(survey);
    for (const { topic, state, text, remedy } of findings) {
      terminal.say(`${MARKS[state].padEnd(6)}${topic.padEnd(11)} ${text}`);
      if (remedy !== undefined) terminal.say(`${' '.repeat(18)}${remedy}`);
    }
    const broken = findings.filter(({ state }) => state === 'broken');
    if (options.json) terminal.result({ findings, survey, canTrain: broken.length === 0 });
    if (broken.length > 0)
      throw new UserError(`this machine cannot train yet: ${broken.map(({ topic }) => topic).join(', ')}`);
    terminal.say('this machine can train');
  });
}
