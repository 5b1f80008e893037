import { readFile } from 'node:fs/promises';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import {
  type FittedMachines,
  fitMachines,
  leaveOneOutErrors,
  type MeasuredStep,
  POINTS_LEAST,
} from '../../simulation/measured-fit.js';
import { measureScale, type ScalePlan, type ScaleResult, USUAL_MACHINES } from '../../simulation/scale.js';
import type { ScalingResult } from '../bench/scaling-bench.js';
import { scaleReport } from '../reports/simulated-scale/report.js';
import { type Column, formatNumber, textTable } from '../terminal/text-table.js';
import type { CommandContext } from './command.js';

/** What `simulate --scale` is asked for. */
export interface ScaleSettings extends Pick<ScalePlan, 'steps' | 'fanOut'> {
  /** Left out: curves from 10 to 10,000 workers. */
  readonly workers: number | undefined;
  /** Results of `bench scaling --json` to which the machines are fitted; left out: the usual machines. */
  readonly fit: readonly string[] | undefined;
  /** File for a page with the curves. */
  readonly html: string | undefined;
  readonly json: boolean;
}

/** Workers of the points of a curve. */
const COUNTS = [10, 100, 1000, 10_000];
/** Larger stars are not disturbed: their steps take too long to simulate more of them. */
const DISTURBED_MOST = 1000;
/** Members of the coordinator and of each relay in curves. */
const FAN_OUT = 16;
const LOCAL_STEPS = 30;
/** A batch with a codec has 8 parts, a round 256 replicas: more workers have nothing to do, and steps of their batches take minutes. */
const DIVIDED_MOST = 1000;
const KINDS: readonly { readonly name: string; readonly plan: Partial<ScalePlan>; readonly most?: number }[] =
  [
    { name: 'star', plan: {} },
    { name: 'star int8', plan: { compress: 'int8' }, most: DIVIDED_MOST },
    { name: 'star int4', plan: { compress: 'int4' }, most: DIVIDED_MOST },
    { name: `star local ${LOCAL_STEPS}`, plan: { localSteps: LOCAL_STEPS }, most: DIVIDED_MOST },
    { name: 'relays', plan: { fanOut: FAN_OUT } },
    {
      name: `relays local ${LOCAL_STEPS}`,
      plan: { fanOut: FAN_OUT, localSteps: LOCAL_STEPS },
      most: DIVIDED_MOST,
    },
  ];

type Point = ScaleResult & { readonly kind: string };

/** Measures a step of a large cluster in virtual time, or curves over numbers of workers. */
export async function scaleCommand(settings: ScaleSettings, { terminal }: CommandContext): Promise<void> {
  const { workers, steps, fanOut, fit, html, json } = settings;
  const fitted = fit === undefined ? undefined : await fitFiles(fit, (line) => terminal.say(line));
  const machines = { ...USUAL_MACHINES, ...fitted?.machines, steps };
  const measure = (count: number, plan: Partial<ScalePlan>): Promise<ScaleResult> =>
    measureScale({ ...machines, ...plan, workers: count }, processorMs).catch((error: Error) => {
      throw new UserError(`${count} workers: ${error.message}`);
    });
  if (workers !== undefined) {
    const result = await measure(workers, fanOut === undefined ? {} : { fanOut });
    describe(result, (line) => terminal.say(line));
    if (json) terminal.result({ ...result, ...(fitted && { fit: fitted.report }) });
    return;
  }
  const points: Point[] = [];
  for (const { name, plan, most = Number.POSITIVE_INFINITY } of KINDS)
    for (const count of COUNTS) {
      if (count > most) continue;
      // A tree of a few workers has no relays worth the name.
      if (plan.fanOut !== undefined && count <= plan.fanOut) continue;
      terminal.say(`${name}, ${count} workers ...`);
      points.push({
        kind: name,
        ...(await measure(count, {
          ...plan,
          disturbs: plan.fanOut !== undefined || count <= DISTURBED_MOST,
        })),
      });
    }
  for (const line of textTable(COLUMNS, points)) terminal.say(line);
  if (html !== undefined) {
    const title = 'Unisum: simulated scale';
    const { megabits, latencyMs, vectorBytes, computeMs } = machines;
    const about = `links of ${formatNumber(megabits)} Mbit/s with ${formatNumber(latencyMs)} ms, vectors of ${formatNumber(vectorBytes / 1000)} kB, ${formatNumber(computeMs)} ms of computing per worker and step`;
    await writeFileAtomically(html, [Buffer.from(await scaleReport({ title, machine: about, points }))]);
    terminal.say(`curves: ${html}`);
  }
  if (json) terminal.result({ machines, ...(fitted && { fit: fitted.report }), results: points });
}

function describe(result: ScaleResult, say: (line: string) => void): void {
  const { workers, relays, members, stepMs, joinMs, coordinatorMs, coordinatorBytes, heapMiB } = result;
  say(`${workers} workers, ${relays} relays, ${members} members of the coordinator; same weights as alone`);
  say(
    `step ${stepMs.toFixed(0)} ms, joined in ${(joinMs / 1000).toFixed(1)} s, both in virtual time; coordinator: ` +
      `${coordinatorMs.toFixed(1)} ms of processor time and ${(coordinatorBytes / 1e6).toFixed(1)} MB a step; ` +
      `${heapMiB.toFixed(0)} MiB for all machines`,
  );
}

const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(0));
const COLUMNS: readonly Column<Point>[] = [
  { heading: 'kind', cell: ({ kind }) => kind },
  { heading: 'workers', cell: ({ workers }) => String(workers) },
  { heading: 'relays', cell: ({ relays }) => String(relays) },
  { heading: 'ms/step', cell: ({ stepMs }) => formatNumber(stepMs) },
  { heading: 'work/s', cell: ({ workPerSecond }) => formatNumber(workPerSecond) },
  { heading: 'coord. ms', cell: ({ coordinatorMs }) => formatNumber(coordinatorMs) },
  { heading: 'coord. MB', cell: ({ coordinatorBytes }) => formatNumber(coordinatorBytes / 1e6) },
  { heading: 'MiB', cell: ({ heapMiB }) => heapMiB.toFixed(0) },
  { heading: 'joined s', cell: ({ joinMs }) => formatNumber(joinMs / 1000) },
  { heading: 'worker killed +ms', cell: ({ killedWorkerMs }) => ms(killedWorkerMs) },
  { heading: 'relay killed +ms', cell: ({ killedRelayMs }) => ms(killedRelayMs) },
  { heading: 'late worker ms', cell: ({ lateWorkerMs }) => ms(lateWorkerMs) },
  { heading: 'late relay ms', cell: ({ lateRelayMs }) => ms(lateRelayMs) },
];

interface Fitted {
  readonly machines: Pick<
    ScalePlan,
    'megabits' | 'latencyMs' | 'vectorBytes' | 'computeMs' | 'coordinatorMegabits'
  >;
  readonly report: FittedMachines & { readonly medianError: number; readonly largestError: number };
}

/** What `bench scaling --json` prints, as far as it is needed. */
interface Measured {
  readonly net?: string;
  readonly machine: { readonly cores: number };
  readonly results: readonly Pick<
    ScalingResult,
    'spread' | 'exchange' | 'workers' | 'batch' | 'usPerStep' | 'payloadBytesPerStep'
  >[];
}

/** A rate that no link has: what is fitted as no time at all. */
const MEGABITS_MOST = 1e6;

/** Fits machines to measured steps of remote workers, and prints how well each step is predicted from the others. */
async function fitFiles(files: readonly string[], say: (line: string) => void): Promise<Fitted> {
  const measured = await Promise.all(files.map(readMeasured));
  const nets = new Set(measured.map(({ net }) => net));
  if (nets.size > 1)
    throw new UserError(`--fit takes results of one network, not of ${[...nets].join(' and ')}`, 2);
  const steps = measured.flatMap(stepsOf);
  if (steps.length < POINTS_LEAST)
    throw new UserError(
      `--fit needs ${POINTS_LEAST} points of remote workers, not ${steps.length}: measure more with bench scaling --remote 1,2,4 --json`,
    );
  const errors = leaveOneOutErrors(steps);
  const rows = steps.map((step, i) => ({ step, error: errors[i] as number }));
  for (const line of textTable(FIT_COLUMNS, rows)) say(line);
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const [medianError, largestError] = [sizes[sizes.length >> 1] as number, sizes.at(-1) as number];
  say(
    `left out one by one, points are predicted with an error of ${percent(medianError)} (median), ${percent(largestError)} (largest)`,
  );
  const fitted = fitMachines(steps);
  const { msPerSample, exchangeMs, linkMsPerMb, sharedMsPerMb } = fitted;
  say(
    `fitted: ${formatNumber(msPerSample * 1000)} us a sample, ${formatNumber(exchangeMs)} ms an exchange, ` +
      `${formatNumber(linkMsPerMb)} ms a MB on a member's link, ${formatNumber(sharedMsPerMb)} ms a MB at the coordinator`,
  );
  const [one] = steps as [MeasuredStep];
  const megabits = (msPerMb: number): number => Math.min(MEGABITS_MOST, 8000 / msPerMb);
  return {
    machines: {
      megabits: megabits(linkMsPerMb),
      coordinatorMegabits: megabits(sharedMsPerMb),
      latencyMs: exchangeMs / 2,
      vectorBytes: (one.megabytes / one.members / 2) * 1e6,
      computeMs: msPerSample * one.batch,
    },
    report: { ...fitted, medianError, largestError },
  };
}

async function readMeasured(file: string): Promise<Measured> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(`${file} cannot be read`);
  });
  try {
    const measured = JSON.parse(text.trim().split('\n').at(-1) ?? '') as Measured;
    if (Array.isArray(measured.results) && measured.machine.cores > 0) return measured;
  } catch {
    // Told below.
  }
  throw new UserError(`${file} is not a result of bench scaling --json`);
}

function stepsOf({ machine: { cores }, results }: Measured): MeasuredStep[] {
  return results.flatMap(({ spread, exchange, workers: members, batch, usPerStep, payloadBytesPerStep }) =>
    spread === 'remote' && exchange === 'step' && payloadBytesPerStep !== undefined
      ? [{ members, cores, batch, megabytes: payloadBytesPerStep / 1e6, stepMs: usPerStep / 1000 }]
      : [],
  );
}

const FIT_COLUMNS: readonly Column<{ readonly step: MeasuredStep; readonly error: number }>[] = [
  { heading: 'remote', cell: ({ step }) => String(step.members) },
  { heading: 'batch', cell: ({ step }) => String(step.batch) },
  { heading: 'MB', cell: ({ step }) => formatNumber(step.megabytes) },
  { heading: 'measured ms', cell: ({ step }) => formatNumber(step.stepMs) },
  { heading: 'predicted ms', cell: ({ step, error }) => formatNumber(step.stepMs * (1 + error)) },
  { heading: 'error', cell: ({ error }) => percent(error) },
];

function percent(part: number): string {
  return `${(100 * part).toFixed(1)}%`;
}

/** Processor time of this process so far. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
