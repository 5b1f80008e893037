/* The bounds of every string, list and number of a message, except those in shared/data and shared/reduction. */

/** Chunks that one message requests: enough to hide the round trip, few enough that both ends can hold them. */
export const NEED_CHUNKS_MAX = 16;
/** Subtrees of one range: at most two on each level of the tree (LEAVES_MAX = 2^24). */
export const PARTIAL_NODES_MAX = 48;
/** Parts of a relay's sums that are told apart: as many as a header has room for. */
export const PARTS_MAX = 192;
/** Relays between a worker and the run, as far as a part's path names them, and one. */
export const PATH_IDS_MAX = 8;
/** Segments of one vector: a vector has at most 2^28 floats, and tensors that do not fill a segment share one. */
export const SEGMENTS_MAX = 2 ** 16;
/** Ranges that wait at a worker. A coordinator assigns a few per step, and ranges of another step replace them. */
export const QUEUE_MAX = 256;
/** Levels of the tree. */
export const LEVEL_MAX = 24;
/** Samples of a batch, as many as a data set can have. */
export const BATCH_MAX = 2 ** 27;
/** Steps of a run: 31 years at one per millisecond. */
export const STEP_MAX = 2 ** 40;
/** Compute threads of one worker. */
export const THREADS_MAX = 4096;
/** Kernels of a self-test. */
export const SELF_TEST_MAX = 256;
/** Characters of a name that people read. */
export const NAME_CHARACTERS_MAX = 64;
/** Characters of a reason that people read. */
export const REASON_CHARACTERS_MAX = 500;
/** How long a worker that is refused for a time waits before its next attempt. */
export const RETRY_AFTER_MS_MAX = 600_000;
/** Nesting of a model's JSON. */
export const MODEL_DEPTH_MAX = 32;
/** Values of a model's JSON, objects and lists included. */
export const MODEL_VALUES_MAX = 1_000_000;
/** A day: longer than any range takes. */
export const COMPUTE_MICROS_MAX = 86_400e6;
