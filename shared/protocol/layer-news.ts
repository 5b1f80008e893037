/* What those who watch a run are told about backprop in an inspected step. */
import * as v from 'valibot';
import { name, step } from './fields.js';

/** Most layers of one message: of a deeper network, those at the beginning. */
export const LAYERS_SHOWN_MAX = 128;

/** One layer in an inspected step; see shared/engine/passes/gradient-inspector.ts for what the figures are. */
export interface LayerRow {
  readonly name: string;
  readonly op: string;
  readonly activation: number;
  readonly error?: number;
  readonly deadUnits?: number;
  /** Euclidean norm over all parameters of the layer; left out where it has none that learn. */
  readonly gradientNorm?: number;
  /** Euclidean norm of the update, and the same relative to that of the weights. */
  readonly updateNorm?: number;
  readonly updateRatio?: number;
}

/** Backprop in one inspected step. */
export interface LayersNews {
  readonly kind: 'layers';
  /** Steps done before it. */
  readonly step: number;
  /** In the order of the forward pass. */
  readonly layers: readonly LayerRow[];
}

/** A norm may be any number: a network may overflow. */
const figure = v.union([v.number(), v.nan()]);
const optional = v.exactOptional(figure);

/** Schema of the message. */
export const LayersSchema = v.strictObject({
  ...{ kind: v.literal('layers'), step },
  layers: v.pipe(
    v.array(
      v.strictObject({
        ...{ name, op: name, activation: figure, error: optional, deadUnits: optional },
        ...{ gradientNorm: optional, updateNorm: optional, updateRatio: optional },
      }),
    ),
    v.maxLength(LAYERS_SHOWN_MAX),
  ),
});
