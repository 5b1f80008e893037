import type { Tensor as Weights } from '../../shared/files/tensors.js';
import type { ComposedLoss, Graph, Tensor } from '../../shared/graph/graph.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import type { LossSettings } from '../../shared/graph/losses/loss.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';
import { type StoredModel, storedNetwork } from '../model-text.js';
import { writeExport } from './export-files.js';

/** What a network is made of. */
interface NetworkParts {
  readonly graph: Graph;
  readonly output: Tensor;
  /** Weights by the names of the parameters. */
  readonly parameters: ReadonlyMap<string, Weights>;
  readonly notes: readonly string[];
  /** What a file of this program says of its model. */
  readonly stored?: StoredModel;
}

/** A network that was read from a file. */
export class ImportedNetwork {
  /** The graph, to which further layers can be added. */
  readonly graph: Graph;
  /** The output of the network in the graph. */
  readonly output: Tensor;
  /** What the user must know of the result. */
  readonly notes: readonly string[];
  private readonly parameters: ReadonlyMap<string, Weights>;
  private readonly stored: StoredModel | undefined;

  constructor({ graph, output, parameters, notes, stored }: NetworkParts) {
    this.graph = graph;
    this.output = output;
    this.parameters = parameters;
    this.notes = notes;
    this.stored = stored;
  }

  /**
   * The network, ending in a loss.
   * @param loss default: that of the file; else it follows from the last layer: sparse categorical cross-entropy of a softmax, binary
   * cross-entropy of a sigmoid, each with the target `label`, and the mean squared error otherwise, with the target `target`
   * @throws UserError when the loss does not fit the output
   */
  model(loss?: LossSettings | ComposedLoss): Model {
    if (loss !== undefined) return this.graph.model(this.output, loss);
    if (this.stored !== undefined) return this.stored.network;
    const plain = this.graph.model(this.output, meanSquaredError({ target: 'target' }));
    const last = plain.nodes.findLast(({ op }) => op !== 'reshape')?.op;
    if (last === 'softmax') return this.model(sparseCategoricalCrossentropy({ target: 'label' }));
    return last === 'sigmoid' ? this.model(binaryCrossentropy({ target: 'label' })) : plain;
  }

  /** The weights of a network that was made of this one: those of the file. Layers that were added have none. */
  weights(network: Model): readonly Weights[] {
    return network.parameters.flatMap(({ name }) => {
      const tensor = this.parameters.get(name);
      return tensor === undefined ? [] : [tensor];
    });
  }

  /**
   * Writes the network and its weights into a folder, which `load`, `predict` and `eval` read, and `train` through `--weights`.
   * @param out is created if it does not exist
   * @returns the paths of the files
   * @throws UserError when they cannot be written
   */
  async save(out: string): Promise<readonly string[]> {
    const network = this.model();
    const stored = this.stored ?? storedNetwork('imported', network);
    return (await writeExport(stored, this.weights(network), { format: 'unisum', out })).files;
  }
}
