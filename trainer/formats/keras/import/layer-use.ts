import type { LayerIdentity, Tensor } from '../../../../shared/graph/graph.js';
import type { OpName } from '../../../../shared/graph/ops/table.js';
import type { NetworkBuilder } from '../../network-builder.js';
import { Untranslatable } from '../../untranslatable.js';
import type { Config } from './layer-config.js';
import type { WeightValues, Within } from './layer-weights.js';

/** A call of a layer. */
export interface LayerUse {
  readonly builder: NetworkBuilder;
  readonly config: Config;
  readonly inputs: readonly [Tensor, ...Tensor[]];
  /** The identity of the layer, or of a part of it; another call has the same, so it shares the parameters. */
  identity(op: OpName, part?: string): LayerIdentity;
  /** See WeightSource. */
  weights(roles: readonly (string | false)[], within?: Within): (WeightValues | undefined)[];
  /** What the user must know. */
  note(text: string): void;
}

/** Adds the ops of a layer. @returns its output. @throws Untranslatable */
export type LayerReader = (use: LayerUse) => Tensor;

/** @throws Untranslatable unless the setting is absent, null or this value */
export function expect(config: Config, name: string, value: unknown): void {
  const own = config[name];
  if (own !== undefined && own !== null && own !== value)
    throw new Untranslatable(`${name} ${JSON.stringify(own)}`);
}

/** A number; `none` where it is absent. @throws Untranslatable */
export function numberOf(config: Config, name: string, none?: number): number {
  const value = config[name] ?? none;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Untranslatable(`${name} ${JSON.stringify(value ?? null)}`);
}

/** Numbers for each axis; a single one stands for all. @throws Untranslatable */
export function numbersOf(config: Config, name: string, rank: number, none?: number): number[] {
  const value = config[name] ?? none;
  const list = Array.isArray(value) ? value : Array.from({ length: rank }, () => value);
  if (list.length === rank && list.every((entry) => Number.isInteger(entry))) return list as number[];
  throw new Untranslatable(`${name} ${JSON.stringify(value ?? null)}`);
}
