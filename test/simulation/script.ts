import { coordinate } from '../../coordinator/coordinator.js';
import { hashText, undisturbed } from '../../scripts/simulation/arithmetic.js';
import { crash, flipMemory, isolate, linger } from '../../scripts/simulation/harm.js';
import type { Setting } from '../../scripts/simulation/plan.js';
import { Watch } from '../../scripts/simulation/watch.js';
import { World } from '../../scripts/simulation/world.js';

/** No play lasts longer, in virtual milliseconds. */
const LIMIT_MS = 60_000;

/** What happens in a play, once a line with these words has been written. */
interface Cue {
  readonly words: string;
  readonly act: string;
}

/** How a play ended. */
export interface PlayEnd {
  /** What happened, with virtual time. */
  readonly lines: readonly string[];
  readonly finalHash: string;
  readonly expectedHash: string;
}

/**
 * Plays an interaction script: the production coordinator and nodes over a network on which everything takes a
 * millisecond, where just that happens which the script says.
 *
 *     # what is shown, for people
 *     workers 3, steps 2                     also: locals 1, audit 1
 *     hide handshakes
 *     after "node-2 -> coordinator: partials 0" crash node-2
 *
 * Acts: crash, leave, join, lie NAME; flip NAME (a bit of the weights in its memory); slow NAME TIMES; isolate,
 * linger NAME MS; power-loss coordinator MS (see scripts/simulation/harm.ts).
 * @throws Error when the run does not end, or anything is found that must not be
 */
export async function play(script: string): Promise<PlayEnd> {
  const numbers = new Map(
    [...script.matchAll(/\b(workers|locals|steps|audit|save every) ([\d.]+)/g)].map(([, k, v]) => [
      k,
      Number(v),
    ]),
  );
  const number = (name: string): number => numbers.get(name) ?? 0;
  const [workers, locals] = [number('workers'), number('locals')];
  const setting: Setting = {
    seed: 1,
    steps: number('steps'),
    workers,
    locals,
    minWorkers: workers + locals,
    audit: number('audit'),
    faults: [],
    liars: 0,
    lieChance: 0,
    isStrict: false,
    saveEvery: number('save every'),
  };
  const hides = script.includes('\nhide handshakes\n') ? /: (connects|challenge|hello|run$|ready)/ : /(?!)/;
  const cues = [...script.matchAll(/^after "(.+)" (.+)$/gm)].map(
    ([, words, act]): Cue => ({ words: words as string, act: act as string }),
  );
  const lines: string[] = [];
  const trace = (line: string): void => {
    if (!hides.test(line)) lines.push(line.trimEnd());
    const [cue] = cues;
    if (cue === undefined || !line.includes(cue.words)) return;
    cues.shift();
    // Not in the midst of what is happening.
    world.clock.after(0, () => perform(world, cue.act));
  };
  const weather = () => ({ delayMs: () => 1, newsMs: () => 2, silenceMs: 10_000 });
  const world = new World(setting, { weather, msPerLeaf: () => 1, trace, decide: coordinate });
  new Watch(world);
  for (let i = 1; i <= locals; i++) world.join(`local-${i}`, { sharesMemory: true });
  for (let i = 1; i <= workers; i++) world.join(`node-${i}`);
  await world.run(LIMIT_MS).catch((error: unknown) => {
    throw new Error(`${error}:\n${lines.join('\n')}`);
  });
  if (cues.length > 0) throw new Error(`nobody wrote "${cues[0]?.words}":\n${lines.join('\n')}`);
  return {
    lines,
    finalHash: hashText(world.coordinator.workshop.weights),
    expectedHash: hashText(undisturbed(setting.steps, (step) => world.leavesOf(step))),
  };
}

function perform(world: World, act: string): void {
  const [verb = '', name = '', amount = ''] = act.split(' ');
  world.trace(() => `--- ${act}`);
  if (verb === 'join') return void world.join(name);
  if (verb === 'power-loss') return world.crashCoordinator(true, Number(amount));
  const node = world.named(name);
  const acts: Readonly<Record<string, () => void>> = {
    crash: () => crash(node, false),
    leave: () => node.tell({ kind: 'leave' }),
    isolate: () => isolate(world, [node], Number(amount)),
    linger: () => linger(world, node, Number(amount)),
    slow: () => {
      node.slowness = Number(amount);
    },
    lie: () => {
      node.lieChance = 1;
    },
    flip: () => flipMemory(world, node),
  };
  const perform = acts[verb];
  if (perform === undefined) throw new Error(`no script knows "${act}"`);
  perform();
}
