/* Every string, list and number of a message has a bound here, or one of its own in shared/data or shared/sum. */

/** Chunks asked for at once: enough to hide the round trip, few enough that both ends can hold them. */
export const NEED_CHUNKS_MAX = 16;
/** Subtrees of one range: at most two on each level of the tree (LEAVES_MAX = 2^24). */
export const PARTIAL_NODES_MAX = 48;
/** Ranges that wait at a node: a coordinator hands out a few per step, and another step's make them void. */
export const QUEUE_MAX = 256;
/** Levels of the tree. */
export const LEVEL_MAX = 24;
/** Samples of a batch, as many as a data set can have. */
export const BATCH_MAX = 2 ** 27;
/** Steps of a run: 31 years at one per millisecond. */
export const STEP_MAX = 2 ** 40;
/** Compute threads of one node. */
export const THREADS_MAX = 4096;
/** Kernels of a self-test. */
export const SELF_TEST_MAX = 256;
/** Characters of a name that people read. */
export const NAME_CHARACTERS_MAX = 64;
/** Characters of a reason that people read. */
export const REASON_CHARACTERS_MAX = 500;
/** Nesting of a model's JSON. */
export const MODEL_DEPTH_MAX = 32;
/** Values of a model's JSON, objects and lists included. */
export const MODEL_VALUES_MAX = 1_000_000;
/** A day: longer than any range computes. */
export const COMPUTE_MICROS_MAX = 86_400e6;
