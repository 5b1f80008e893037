import { availableParallelism } from 'node:os';
import { systemClock } from '../../shared/actor/clock.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { Recipe } from '../../trainer/recipe.js';
import { type Exchange, PLAIN } from '../bench/exchange.js';
import { describeMachine } from '../bench/machine-facts.js';
import { describeNetworkShape, parseNetworkShape } from '../bench/network-shape.js';
import type { PeerProcess } from '../bench/peer-process.js';
import { describePytorch, findPytorch } from '../bench/pytorch.js';
import { benchScaling, type ScalingResult } from '../bench/scaling-bench.js';
import { scalingPoints, type TimeSplit, type Units } from '../bench/scaling-points.js';
import type { Target } from '../bench/target-watch.js';
import { scalingReport } from '../reports/scaling/report.js';
import { type Column, formatNumber, textTable } from '../terminal/text-table.js';
import { beginOn } from './bench-machine.js';
import type { CommandContext } from './command.js';

/** Settings of `bench scaling`. */
export interface BenchScalingSettings {
  readonly name: string;
  readonly recipe: Recipe;
  readonly batch: number;
  readonly units: Units;
  /** What the machines exchange; each has curves of its own. */
  readonly exchanges: readonly Exchange[];
  readonly backend: 'auto' | Backend;
  readonly repeats: number;
  /** The metric to reach; undefined: only the time per step is measured. */
  readonly target: Target | undefined;
  /** The peer's workload; undefined: no peer is measured. */
  readonly peerWorkload: string | undefined;
  /** Local copy of the data. */
  readonly data: string | undefined;
  /** File for the page with curves; undefined: none is written. */
  readonly html: string | undefined;
  readonly anyLoad: boolean;
  /** Shape of the network to worker processes, such as 100mbit,10ms; undefined: loopback as it is. */
  readonly net: string | undefined;
  readonly json: boolean;
}

/** Measures scaling, prints a table and, if requested, the result and a page with curves. */
export async function benchScalingCommand(
  settings: BenchScalingSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const { name, recipe, batch, units, exchanges, backend, peerWorkload, net } = settings;
  const machine = beginOn(terminal, settings.anyLoad);
  const pytorch = peerWorkload === undefined ? undefined : await findPytorch();
  if (pytorch) terminal.say(describePytorch(pytorch));
  if (net !== undefined) terminal.say(`network: ${describeNetworkShape(parseNetworkShape('--net', net))}`);
  const peers = new Map<number, PeerProcess>();
  let results: ScalingResult[];
  try {
    // The peer runs with the same numbers of processes.
    for (const world of pytorch === undefined ? [] : new Set([1, ...units.remote])) {
      const args = [peerWorkload as string, String(world), String(batch)];
      peers.set(world, (pytorch as NonNullable<typeof pytorch>).start('pytorch-ddp.py', args));
    }
    const request = {
      ...{
        workload: name,
        points: scalingPoints(units, batch, exchanges),
        ...{ repeats: settings.repeats, target: settings.target },
        peers,
        interrupted,
      },
      task: { recipe, data: await recipe.data(settings.data), backend, net },
      cores: availableParallelism(),
      say: (line: string) => terminal.say(line),
    };
    results = await benchScaling(request, systemClock);
  } finally {
    for (const peer of peers.values()) peer.close();
  }
  if (interrupted.aborted) return;
  const columns = exchanges.length > 1 || exchanges[0] !== PLAIN ? [EXCHANGE, ...COLUMNS] : COLUMNS;
  for (const line of textTable(columns, results)) terminal.say(line);
  if (results.some(({ oversubscribed }) => oversubscribed)) terminal.say('* more units than cores');
  const peer = pytorch && describePytorch(pytorch);
  if (settings.html !== undefined) {
    const title = `Unisum scaling: ${name}, ${recipe.summary}`;
    const page = await scalingReport({ title, machine: describeMachine(machine), peer, results });
    await writeFileAtomically(settings.html, [Buffer.from(page)]);
    terminal.say(`curves: ${settings.html}`);
  }
  if (settings.json)
    terminal.result({ machine, ...(net && { net }), ...(peer === undefined ? {} : { peer }), results });
}

const part = (name: keyof TimeSplit): Column<ScalingResult> => ({
  heading: name,
  cell: ({ split }) => formatNumber(split?.[name]),
});

const EXCHANGE: Column<ScalingResult> = { heading: 'exchange', cell: ({ exchange }) => exchange };

const COLUMNS: readonly Column<ScalingResult>[] = [
  { heading: 'point', cell: ({ mode, spread }) => `${mode} ${spread}` },
  { heading: 'units', cell: ({ workers, oversubscribed }) => `${workers}${oversubscribed ? '*' : ''}` },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'us/step', cell: ({ usPerStep }) => formatNumber(usPerStep) },
  { heading: 'fastest', cell: ({ fastestUsPerStep }) => formatNumber(fastestUsPerStep) },
  { heading: 'noise', cell: ({ noise }) => `${(100 * noise).toFixed(0)}%` },
  { heading: 'speed-up', cell: ({ speedUp }) => formatNumber(speedUp) },
  { heading: 'efficiency', cell: ({ efficiency }) => formatNumber(efficiency) },
  part('compute'),
  part('wait'),
  part('wire'),
  part('hidden'),
  part('reduce'),
  part('update'),
  {
    heading: 'KiB sent',
    cell: ({ payloadBytesPerStep }) =>
      formatNumber(payloadBytesPerStep === undefined ? undefined : payloadBytesPerStep / 1024),
  },
  { heading: 's to target', cell: ({ secondsToTarget }) => formatNumber(secondsToTarget) },
  { heading: 'weights', cell: ({ weightsSha256 }) => weightsSha256?.slice(0, 12) ?? '-' },
];
