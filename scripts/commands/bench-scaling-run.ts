import { availableParallelism } from 'node:os';
import type { Recipe } from '../../coordinator/recipe.js';
import { systemClock } from '../../shared/actor/clock.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { describeMachine, machineFacts } from '../bench/machine-facts.js';
import type { PeerProcess } from '../bench/peer-process.js';
import { describePytorch, findPytorch } from '../bench/pytorch.js';
import { benchScaling, type ScalingResult } from '../bench/scaling-bench.js';
import { scalingPoints, type TimeSplit, type Units } from '../bench/scaling-points.js';
import { scalingReport } from '../bench/scaling-report.js';
import { type Column, figure, textTable } from '../terminal/text-table.js';
import type { CommandContext } from './command.js';

/** What `bench scaling` is told. */
export interface BenchScalingSettings {
  readonly name: string;
  readonly recipe: Recipe;
  readonly batch: number;
  readonly units: Units;
  readonly backend: 'auto' | Backend;
  readonly repeats: number;
  /** The workload that a peer knows; undefined: no peer is asked. */
  readonly peerWorkload: string | undefined;
  /** Folder of a local copy of the data. */
  readonly data: string | undefined;
  /** File for the page; undefined: none is written. */
  readonly html: string | undefined;
  readonly json: boolean;
}

/** Measures scaling, prints a table for people and, as asked, the result and a page. */
export async function benchScalingCommand(
  settings: BenchScalingSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const { name, recipe, batch, units, backend, peerWorkload } = settings;
  const machine = machineFacts();
  terminal.say(describeMachine(machine));
  const pytorch = peerWorkload === undefined ? undefined : await findPytorch();
  if (pytorch) terminal.say(describePytorch(pytorch));
  const peers = new Map<number, PeerProcess>();
  let results: ScalingResult[];
  try {
    // As many processes as we take ourselves.
    for (const world of pytorch === undefined ? [] : new Set([1, ...units.remote])) {
      const args = [peerWorkload as string, String(world), String(batch)];
      peers.set(world, (pytorch as NonNullable<typeof pytorch>).start('pytorch-ddp.py', args));
    }
    const request = {
      ...{
        workload: name,
        points: scalingPoints(units, batch),
        repeats: settings.repeats,
        peers,
        interrupted,
      },
      task: { recipe, data: await recipe.data(settings.data), backend },
      cores: availableParallelism(),
      say: (line: string) => terminal.say(line),
    };
    results = await benchScaling(request, systemClock);
  } finally {
    for (const peer of peers.values()) peer.close();
  }
  if (interrupted.aborted) return;
  for (const line of textTable(COLUMNS, results)) terminal.say(line);
  if (results.some(({ oversubscribed }) => oversubscribed)) terminal.say('* more units than processors');
  const peer = pytorch && describePytorch(pytorch);
  if (settings.html !== undefined) {
    const title = `Unisum scaling: ${name}, ${recipe.summary}`;
    const page = await scalingReport({ title, machine: describeMachine(machine), peer, results });
    await writeFileAtomically(settings.html, [Buffer.from(page)]);
    terminal.say(`curves: ${settings.html}`);
  }
  if (settings.json) terminal.result({ machine, ...(peer === undefined ? {} : { peer }), results });
}

const part = (name: keyof TimeSplit): Column<ScalingResult> => ({
  heading: name,
  cell: ({ split }) => figure(split?.[name]),
});

const COLUMNS: readonly Column<ScalingResult>[] = [
  { heading: 'point', cell: ({ mode, spread }) => `${mode} ${spread}` },
  { heading: 'units', cell: ({ workers, oversubscribed }) => `${workers}${oversubscribed ? '*' : ''}` },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'us/step', cell: ({ usPerStep }) => figure(usPerStep) },
  { heading: 'fastest', cell: ({ fastestUsPerStep }) => figure(fastestUsPerStep) },
  { heading: 'speed-up', cell: ({ speedUp }) => figure(speedUp) },
  { heading: 'efficiency', cell: ({ efficiency }) => figure(efficiency) },
  part('compute'),
  part('wait'),
  part('wire'),
  part('reduce'),
  part('update'),
  {
    heading: 'KiB sent',
    cell: ({ payloadBytesPerStep }) =>
      figure(payloadBytesPerStep === undefined ? undefined : payloadBytesPerStep / 1024),
  },
  { heading: 'weights', cell: ({ weightsSha256 }) => weightsSha256?.slice(0, 12) ?? '-' },
];
