/*
 * Atomics.waitAsync for browsers that lack it, such as Firefox before version 145. A thread of its own sleeps on the word
 * in the place of the caller, whose thread must go on, and reports the wake-up in a message.
 */
import type { Sleep } from './sleeper.js';

/** A thread that sleeps for others, and the memory of its latest sleep. */
interface Sleeper {
  readonly worker: Worker;
  words?: Int32Array;
}

/** All of them: as many as words were waited for at one time. A browser ends a thread that nothing refers to. */
const sleepers: Sleeper[] = [];
/** Those that sleep on no word. */
const free: Sleeper[] = [];

/** Defines Atomics.waitAsync where the browser does not. Waits have no time limit. */
export function provideWaitAsync(): void {
  if ('waitAsync' in Atomics) return;
  Object.defineProperty(Atomics, 'waitAsync', { configurable: true, value: waitAsync });
}

function waitAsync(words: Int32Array, at: number, value: number) {
  const sleeper = free.pop() ?? startSleeper();
  const woken = new Promise<'ok' | 'not-equal'>((resolve) => {
    sleeper.worker.onmessage = ({ data }: MessageEvent<'ok' | 'not-equal'>) => {
      free.push(sleeper);
      resolve(data);
    };
  });
  const isKnown = sleeper.words === words;
  sleeper.words = words;
  sleeper.worker.postMessage({ ...(!isKnown && { words }), at, value } satisfies Sleep);
  return { async: true, value: woken };
}

function startSleeper(): Sleeper {
  const worker = new Worker(new URL('./sleeper.js', import.meta.url), { type: 'module' });
  const sleeper = { worker };
  sleepers.push(sleeper);
  return sleeper;
}
