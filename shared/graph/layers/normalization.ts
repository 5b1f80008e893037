/*
 * Normalisations that are composed of ops.
 */
import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { elementsOf, formatShape } from '../shape.js';
import { mean, minus, over, plus, repeat, sqrt, square, times } from './arithmetic.js';
import { parameterOf } from './define-layer.js';
import { partsOf } from './parts.js';

export interface RmsNormalizationOptions {
  /** Added to the mean square; default: 1e-5. */
  readonly epsilon?: number;
  /** Whether the elements are scaled by a parameter. Default: true. */
  readonly useScale?: boolean;
  readonly name?: string;
}

/**
 * Divides every vector along the last axis by the root of its mean square (Zhang, Sennrich 2019), and scales its elements:
 * y = g x / sqrt(mean(x^2) + epsilon). Parameter, unless `useScale` is false: `<name>/scale/value` (initially 1).
 */
export function rmsNormalization(options: RmsNormalizationOptions = {}): Layer {
  checkLayerOptions('rmsNormalization()', options, ['epsilon', 'useScale', 'name']);
  const { epsilon = 1e-5, useScale = true } = options;
  const owner: LayerIdentity = { kind: 'rmsNormalization', name: options.name };
  const part = partsOf(owner);
  return (x) => {
    const width = lastAxisOf('rmsNormalization', x);
    const root = sqrt(plus(mean(square(x), -1), epsilon));
    const normal = over(x, repeat(root, width, -1));
    return useScale ? times(normal, spread(parameterOf(x, part, 'scale', [width], 'ones'), x)) : normal;
  };
}

export interface GroupNormalizationOptions {
  /** Added to the variance; default: 1e-5. */
  readonly epsilon?: number;
  readonly name?: string;
}

/**
 * Normalises groups of channels over all positions of a sample to mean 0 and variance 1 (Wu, He 2018), then scales and shifts
 * each channel. Input: [..., channels]. Parameters: `<name>/gamma/value` (initially 1), `<name>/beta/value` (initially 0).
 * @param groups divides the number of channels; as many as channels is instance normalisation
 */
export function groupNormalization(groups: number, options: GroupNormalizationOptions = {}): Layer {
  checkLayerOptions('groupNormalization()', options, ['epsilon', 'name']);
  const { epsilon = 1e-5 } = options;
  const owner: LayerIdentity = { kind: 'groupNormalization', name: options.name };
  const part = partsOf(owner);
  return (x) => {
    const channels = lastAxisOf('groupNormalization', x);
    if (!Number.isInteger(channels / groups) || groups < 1)
      throw new UserError(`groupNormalization: ${channels} channels cannot be divided into ${groups} groups`);
    const positions = elementsOf(x.shape) / channels;
    const size = channels / groups;
    const reshaped = (from: Tensor, shape: readonly number[]): Tensor =>
      x.graph.add({
        layer: { kind: 'reshape' },
        op: 'reshape',
        inputs: [from],
        attributes: { shape: [...shape] },
      });
    const swapped = (from: Tensor): Tensor =>
      x.graph.add({
        layer: { kind: 'permute' },
        op: 'permute',
        inputs: [from],
        attributes: { dims: [2, 1, 3] },
      });
    const rows = reshaped(swapped(reshaped(x, [positions, groups, size])), [groups, positions * size]);
    const centred = minus(rows, repeat(mean(rows, -1), positions * size, -1));
    const deviation = sqrt(plus(mean(square(centred), -1), epsilon));
    const normal = over(centred, repeat(deviation, positions * size, -1));
    const back = reshaped(swapped(reshaped(normal, [groups, positions, size])), x.shape);
    const gamma = spread(parameterOf(x, part, 'gamma', [channels], 'ones'), x);
    const beta = spread(parameterOf(x, part, 'beta', [channels], 'zeros'), x);
    return plus(times(back, gamma), beta);
  };
}

/** A vector along the last axis, for every position of x. */
function spread(vector: Tensor, x: Tensor): Tensor {
  const [width = 1] = vector.shape;
  const positions = elementsOf(x.shape) / width;
  const rows = repeat(vector, positions, 0);
  if (x.shape.length === 2) return rows;
  const attributes = { shape: [...x.shape] };
  return x.graph.add({ layer: { kind: 'reshape' }, op: 'reshape', inputs: [rows], attributes });
}

function lastAxisOf(layer: string, x: Tensor): number {
  const width = x.shape.at(-1);
  if (width !== undefined) return width;
  throw new UserError(`${layer} needs at least one axis, not ${formatShape(x.shape)}`);
}
