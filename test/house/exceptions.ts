import type { Allowed } from './dead-exports.js';
import type { LongFiles } from './file-shape.js';

/** Files longer than the rule: path and reason. Keep it short. */
export const LONG_FILES: LongFiles = {
  'shared/kernels/table.ts': 'a table, written by scripts/build-kernels.ts',
  'shared/kernels/c/dispatch.h': 'a case for each kernel, written by scripts/build-kernels.ts',
};

/** Exports that are alive though no file of the product imports them: "path name" or "folder/", and the reason. */
export const LIVE_EXPORTS: Allowed = {
  'shared/link/message-port.ts linkMessagePort': 'for nodes that have a thread of their own',
  'shared/graph/layers/': 'the vocabulary of models: no single recipe uses every word of it',
  'shared/graph/losses/': 'the same',
  'shared/optim/sgd.ts sgd': 'the same',
  'shared/graph/regularizers.ts l1L2': 'the same',
  'shared/data/samples.ts packSamples': 'for recipes of people, as the guide shows and its test runs',
  'shared/data/audio/audio-folder.ts audioFolder': 'the same',
  'shared/data/images/image-folder.ts imageFolder': 'the same',
  'shared/data/images/idx-images.ts idxImages': 'the same',
  'shared/data/raw-folder.ts rawFolder': 'the same',
  'shared/files/safetensors.ts loadSafetensors': 'reads what a run has saved, as its tests do',
  'shared/data/manifest.ts parseManifest':
    'the schema of messages by itself, as its tests hold it to bad manifests',
  'shared/kernels/native-kernels.ts nativeIsas': 'tests compare every instruction set that a machine has',
  'scripts/build-kernels.ts buildKernels': 'a test rebuilds what is checked in and compares the bytes',
  'shared/engine/thread.ts compute': 'what a compute thread is started with, by path',
  'test/support/build.ts setup': 'called by vitest before tests that start threads',
  'test/kernels/addon.ts setup': 'called by vitest before tests of the native addon',
  'vitest.config.ts default': 'what vitest asks for',
};
