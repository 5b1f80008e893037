import type { Tensor } from '../../../../shared/graph/graph.js';
import { NetworkBuilder } from '../../network-builder.js';
import { Untranslatable } from '../../untranslatable.js';
import { inOrder, type Value } from './operands.js';

/** Builds the network of an ONNX file. */
export class GraphBuilder extends NetworkBuilder {
  /** Adds an input. @param shape of a sample */
  input(name: string, shape: readonly number[]): Value {
    return inOrder(this.addInput(name, shape));
  }

  /** The tensor with its axes so that axis k of ONNX is axis want[k]. */
  arranged({ tensor, order }: Value, want: readonly number[]): Tensor {
    if (want.every((axis, k) => axis === order[k])) return tensor;
    if (want.indexOf(0) !== order.indexOf(0)) throw new Untranslatable('a batch that is not the first axis');
    const dims = tensor.shape.map((_, axis) => order[want.indexOf(axis + 1)] as number);
    return this.add({ op: 'permute', inputs: [tensor], attributes: { dims } });
  }

  /** The tensor with its axes in the order of ONNX. */
  canonical(value: Value): Tensor {
    return this.arranged(
      value,
      value.order.map((_, k) => k),
    );
  }

  /** The tensor with an axis of ONNX last, and where the axes are. */
  withLast({ tensor, order }: Value, axis: number): { readonly tensor: Tensor; readonly order: number[] } {
    const own = order[axis] as number;
    if (own === 0) throw new Untranslatable('the batch as an axis to compute along');
    const want = order.map((at) => (at === own ? order.length - 1 : at > own ? at - 1 : at));
    return { tensor: this.arranged({ tensor, order }, want), order: want };
  }
}
