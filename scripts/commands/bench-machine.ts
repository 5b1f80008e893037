import { checkLoad, describeMachine, type MachineFacts, machineFacts } from '../bench/machine-facts.js';
import type { CommandContext } from './command.js';

/**
 * Begins a benchmark: describes this machine, and warns if other programs are running.
 * @throws UserError when it is so busy that results would say nothing, unless `anyLoad`
 */
export function beginOn(terminal: CommandContext['terminal'], anyLoad: boolean): MachineFacts {
  const machine = machineFacts();
  terminal.say(describeMachine(machine));
  const warning = checkLoad(machine, anyLoad);
  if (warning !== undefined) terminal.say(warning);
  return machine;
}
