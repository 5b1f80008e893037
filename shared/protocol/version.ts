/**
 * Raised whenever a message changes its shape or its meaning. `refuse`, and the `kind` and `version` of `challenge`,
 * `hello` and `watch`, stay as they are in every version, so that two versions can tell each other what is wrong.
 */
export const PROTOCOL_VERSION = 1;
