import type { Plan } from '../../shared/compiler/plan.js';
import { elementsOf } from '../../shared/graph/shape.js';
import { spread } from '../support/numbers.js';
import type { Column, Columns } from '../support/samples.js';

/** Synthetic samples that fit the fields of a plan. */
export function syntheticSamples(plan: Pick<Plan, 'fields' | 'output'>, samples: number, seed = 1): Columns {
  const classes = plan.output.at(-1) ?? 1;
  const columns = plan.fields.map(({ name, shape, dtype }, i): [string, Column] => {
    const values = spread(seed * 1000 + i, samples * elementsOf(shape), 0.05, 1);
    const isClass = dtype === 'i32';
    return [
      name,
      {
        dtype,
        shape,
        values: isClass ? values.map((u) => Math.floor(u * classes) % classes) : signed(name, values),
      },
    ];
  });
  return Object.fromEntries(columns);
}

/** Inputs of both signs; targets positive, so that they can be probabilities too. */
function signed(name: string, values: Float32Array): Float32Array {
  return name === 'x' ? values.map((u) => 3 * u - 1.5) : values;
}
