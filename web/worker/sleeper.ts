/* The file that a sleeping thread of a browser starts with; see wait-async.ts. */
import { workerScope } from './worker-scope.js';

/** A word of shared memory, and the value that it must no longer have. */
export interface Sleep {
  /** Left out if it is that of the sleep before. */
  readonly words?: Int32Array;
  readonly at: number;
  readonly value: number;
}

const scope = workerScope<Sleep, 'ok' | 'not-equal'>();
let memory: Int32Array = new Int32Array();

scope.onmessage = ({ data: { words = memory, at, value } }) => {
  memory = words;
  scope.postMessage(Atomics.wait(memory, at, value) === 'not-equal' ? 'not-equal' : 'ok');
};
