import { coordinate } from '../../coordinator/transition.js';
import { hashText, referenceRun } from '../../simulation/arithmetic.js';
import { crash, flipMemory, halfOpen, isolate } from '../../simulation/faults.js';
import { Invariants } from '../../simulation/invariants.js';
import type { Scenario } from '../../simulation/plan.js';
import { VirtualCluster } from '../../simulation/virtual-cluster.js';

/** No script lasts longer, in virtual milliseconds. */
const LIMIT_MS = 60_000;

/** An action, and the text of the trace line that triggers it. */
interface Trigger {
  readonly text: string;
  readonly action: string;
}

/** The result of a script. */
export interface ScriptResult {
  /** The trace, with virtual time. */
  readonly lines: readonly string[];
  readonly finalHash: string;
  readonly expectedHash: string;
}

/**
 * Runs an interaction script: the production coordinator and workers over a network on which every message takes a
 * millisecond, and the actions that the script names.
 *
 *     # what the script shows, for people
 *     workers 3, steps 2                     also: locals 1, audit 1, save every 2
 *     hide handshakes
 *     after "worker-2 -> coordinator: partial-sums 0" crash worker-2
 *
 * Actions: crash, leave, join, lie NAME; not-finite NAME (it answers NaN); mute NAME (it never answers work again); flip NAME
 * (bits of the weights in its memory); slow NAME TIMES; isolate, half-open NAME MS; power-loss coordinator MS (see
 * simulation/faults.ts).
 * @throws Error when the run does not end, or an invariant is violated
 */
export async function runScript(script: string): Promise<ScriptResult> {
  const numbers = new Map(
    [...script.matchAll(/\b(workers|locals|steps|audit|save every) ([\d.]+)/g)].map(([, k, v]) => [
      k,
      Number(v),
    ]),
  );
  const number = (name: string): number => numbers.get(name) ?? 0;
  const [workers, locals] = [number('workers'), number('locals')];
  const scenario: Scenario = {
    seed: 1,
    steps: number('steps'),
    workers,
    locals,
    minWorkers: workers + locals,
    audit: number('audit'),
    faults: [],
    misbehaviours: [],
    isStrict: false,
    saveEvery: number('save every'),
    placement: 'all',
    faultEveryMs: 0,
    coordinatorFaultChance: 0,
  };
  const hidden = script.includes('\nhide handshakes\n') ? /: (connects|challenge|hello|run$|ready)/ : /(?!)/;
  const triggers = [...script.matchAll(/^after "(.+)" (.+)$/gm)].map(
    ([, text, action]): Trigger => ({ text: text as string, action: action as string }),
  );
  const lines: string[] = [];
  const trace = (line: string): void => {
    if (!hidden.test(line)) lines.push(line.trimEnd());
    const [trigger] = triggers;
    if (trigger === undefined || !line.includes(trigger.text)) return;
    triggers.shift();
    // After the event that wrote the line has been handled.
    cluster.clock.after(0, () => perform(cluster, trigger.action));
  };
  const timing = () => ({
    delayMs: () => 1,
    segmentWaitMs: () => 0,
    closeNoticeMs: () => 2,
    silenceMs: 10_000,
  });
  const cluster = new VirtualCluster(scenario, { timing, msPerLeaf: () => 1, trace, decide: coordinate });
  new Invariants(cluster);
  for (let i = 1; i <= locals; i++) cluster.join(`local-${i}`, { sharesMemory: true });
  for (let i = 1; i <= workers; i++) cluster.join(`worker-${i}`);
  await cluster.run(LIMIT_MS).catch((error: unknown) => {
    throw new Error(`${error}:\n${lines.join('\n')}`);
  });
  if (triggers.length > 0) throw new Error(`no line has "${triggers[0]?.text}":\n${lines.join('\n')}`);
  return {
    lines,
    finalHash: hashText(cluster.coordinator.executor.weights),
    expectedHash: hashText(referenceRun(scenario.steps, (step) => cluster.leavesOf(step)).weights),
  };
}

function perform(cluster: VirtualCluster, action: string): void {
  const [verb = '', name = '', amount = ''] = action.split(' ');
  cluster.trace(() => `--- ${action}`);
  if (verb === 'join') return void cluster.join(name);
  if (verb === 'power-loss') return cluster.crashCoordinator(true, Number(amount));
  const worker = cluster.named(name);
  const actions: Readonly<Record<string, () => void>> = {
    crash: () => crash(worker, false),
    leave: () => worker.tell({ kind: 'leave' }),
    isolate: () => isolate(cluster, [worker], Number(amount)),
    'half-open': () => halfOpen(cluster, worker, Number(amount)),
    slow: () => {
      worker.slowness = Number(amount);
    },
    lie: () => {
      worker.misbehaviour = { wrongChance: 1 };
    },
    'not-finite': () => {
      worker.misbehaviour = { wrongChance: 1, wrongSum: Number.NaN };
    },
    mute: () => {
      worker.misbehaviour = { wrongChance: 0, withholds: 'answers' };
    },
    flip: () => flipMemory(cluster, worker),
  };
  const act = actions[verb];
  if (act === undefined) throw new Error(`unknown action "${action}"`);
  act();
}
