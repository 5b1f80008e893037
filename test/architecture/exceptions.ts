import type { Allowed } from './dead-exports.js';
import type { LongFiles } from './file-shape.js';

/** Reasons of long files (see longFiles in file-shape.ts). A long file with one idea is better than two crumbs. */
export const LONG_FILES: LongFiles = {
  'trainer/trainer.ts':
    'a run put together step by step, each of which uses only the results of those before',
  'shared/engine/step/step-executor.ts':
    'the ways in which the threads of one machine run steps, on the same buffers',
  'coordinator/training-loop.ts': 'the one place that composes the rooms, with its state diagram',
  'coordinator/scheduling/scheduling-state.ts':
    'what one room knows, and the questions that its other files ask of it',
  'coordinator/scheduling/step-tasks.ts': 'the tasks of one distributed step: a single data structure',
  'trainer/options/train-options.ts': 'the options of train, each parsed once: a list',
  'trainer/training-session.ts':
    'one session from its request to its result, in the order in which things can fail',
  'trainer/generation/step-network.ts': 'one network made of another, node by node',
  'simulation/virtual-cluster.ts':
    'the machines of one cluster and what passes between them, in one virtual time',
  'simulation/virtual-coordinator.ts': 'one process: a case for each effect, and what it stands for',
  'shared/engine/step/step-compiler.ts': 'the command buffers of one thread, a method for each kind of them',
  'simulation/virtual-relay.ts': 'one machine: a worker upwards and a coordinator downwards, on one state',
  'simulation/virtual-worker.ts': 'one machine: a case for each effect, and what it stands for',
  'simulation/virtual-executor.ts':
    'the sums and weights of one machine: what each operation on them must leave true',
  'test/process/forger.test.ts': 'a list of forgeries, each with what it is refused for',
  'test/trainer/formats/keras.test.ts':
    'half of it is the layers of Keras in NumPy, which the files are compared with',
  'shared/protocol/messages.ts': 'the messages between coordinator and worker: a list, with their order',
  'shared/graph/graph.ts': 'a model under construction: one class, whose parts share its tables of names',
  'shared/kernels/table.ts': 'a generated table (scripts/dev/build-kernels.ts)',
  'shared/kernels/c/dispatch.h': 'generated: a case for each kernel (scripts/dev/build-kernels.ts)',
};

/**
 * Exports that are kept although no file of the product imports them: "path name", or "folder/" for a whole folder, and
 * the reason.
 */
export const LIVE_EXPORTS: Allowed = {
  'trainer/public/': 'the public face of the package: programs import it, and docs/api.txt lists it',
  'web/library/web-command-line.ts commandLine': 'stands in for that of shared/command-line.ts in browsers',
  'web/worker/web-sha256.ts sha256OfPieces': 'stands in for that of shared/files/sha256.ts in browsers',
  'web/library/': 'unisum/browser: pages of others import it',
  'shared/engine/threads/thread.ts compute': 'the entry of a compute thread, started by its path',
  'test/support/build.ts setup': 'vitest calls it before tests that start threads',
  'test/kernels/addon.ts setup': 'vitest calls it before tests of the native addon',
  'vitest.config.ts default': "vitest's settings",
};
