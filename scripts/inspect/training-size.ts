/** Samples per step, and per leaf. */
const BATCH = 32;
const LEAF_SIZE = 8;
/** Approximate steps of a first run, and bounds of its epochs. */
const STEPS = 3000;
const EPOCHS = { least: 5, most: 100 };

/** Batch, leaf size and epochs for a number of samples, as lines of a recipe. */
export function trainingSize(samples: number): string[] {
  const batch = Math.min(BATCH, 2 ** Math.max(0, Math.floor(Math.log2(samples))));
  const steps = Math.ceil(samples / batch);
  const epochs = Math.min(EPOCHS.most, Math.max(EPOCHS.least, Math.ceil(STEPS / steps)));
  return [`  batch: ${batch},`, `  leafSize: ${Math.min(LEAF_SIZE, batch)},`, `  epochs: ${epochs},`];
}
