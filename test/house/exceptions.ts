import type { Allowed } from './dead-exports.js';
import type { LongFiles } from './file-shape.js';

/** Files longer than the rule: path and reason. Keep it short. */
export const LONG_FILES: LongFiles = {};

/** Exports that are alive though no file of the product imports them: "path name" or "folder/", and the reason. */
export const LIVE_EXPORTS: Allowed = {
  'shared/actor/virtual-clock.ts VirtualClock': 'the clock of tests and of the simulator',
  'shared/actor/seeded-random.ts SeededRandom': 'the chance of tests and of the simulator',
  'shared/link/message-port.ts linkMessagePort': 'for nodes that have a thread of their own',
  'shared/graph/layers/': 'the vocabulary of models: no single recipe uses every word of it',
  'shared/graph/losses/': 'the same',
};
