import { systemClock } from '../../shared/actor/clock.js';
import { benchWire, type WireResult } from '../bench/wire-bench.js';
import { type Column, formatNumber, textTable } from '../terminal/text-table.js';
import { beginOn } from './bench-machine.js';
import type { CommandContext } from './command.js';

/** Settings of `bench wire`. */
export interface BenchWireSettings {
  /** Of a message. */
  readonly bytes: number;
  readonly messages: number;
  readonly windows: number;
  readonly anyLoad: boolean;
  readonly json: boolean;
}

/** Measures what moving bytes costs, prints a table and, with --json, the result. */
export async function benchWireCommand(
  { anyLoad, json, ...settings }: BenchWireSettings,
  { terminal }: CommandContext,
): Promise<void> {
  const machine = beginOn(terminal, anyLoad);
  const results = await benchWire(settings, systemClock);
  for (const line of textTable(COLUMNS, results)) terminal.say(line);
  if (json) terminal.result({ machine, results });
}

const COLUMNS: readonly Column<WireResult>[] = [
  { heading: 'carrier', cell: ({ carrier }) => carrier },
  { heading: 'message', cell: ({ bytes }) => String(bytes) },
  { heading: 'us/MB', cell: ({ processorUsPerMb }) => formatNumber(processorUsPerMb) },
  { heading: 'fastest', cell: ({ fastestUsPerMb }) => formatNumber(fastestUsPerMb) },
  { heading: 'ratio', cell: ({ ratio }) => formatNumber(ratio) },
  { heading: 'collections per 1000', cell: ({ collections }) => formatNumber(collections) },
];
