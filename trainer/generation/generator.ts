import { numbersOfText } from '../../shared/data/texts/text-preprocessing.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { UserError } from '../../shared/errors.js';
import type { Model } from '../../shared/graph/model.js';
import { resolveModel } from '../../shared/graph/resolve.js';
import type { StoredModel } from '../model-text.js';
import type { TrainedModel } from '../trained-model.js';
import { drawSymbol, type Sampling } from './sampling.js';
import { keysAt, STEP_INPUTS, type StepNetwork, stepNetwork } from './step-network.js';

/** What a text goes on from, and how. */
export interface GenerationRequest extends Sampling {
  readonly prompt: string;
  /** Symbols to write. */
  readonly length: number;
  /** Whether what earlier positions have left is kept; without it, every symbol computes a whole window. The bits are the same. */
  readonly cache: boolean;
}

/** A network for one position, ready to compute. */
interface Step {
  readonly network: StepNetwork;
  readonly predictor: Predictor;
}

/**
 * Writes texts with a language model, symbol by symbol. A network sees a window of `context` symbols. When the window is full, it
 * starts again with its newest half, with and without a cache.
 */
export class TextGenerator {
  private readonly alphabet: readonly string[];
  private readonly context: number;
  private readonly input: string;
  private readonly whole: Predictor;
  private readonly symbols: number;
  /** By the number of keys. */
  private readonly steps = new Map<number, Step>();
  /** The op that has no form for one position: texts are then written without a cache. */
  readonly unsupported: string | undefined;

  /** @throws UserError when the model is no language model */
  constructor(
    private readonly network: Model,
    stored: Pick<StoredModel, 'preprocessing'>,
    private readonly model: Pick<TrainedModel, 'predictorOf'>,
  ) {
    const { preprocessing } = stored;
    const [input] = network.inputs;
    if (preprocessing.kind !== 'text' || input === undefined)
      throw new UserError('the model writes no texts: it was not trained on one; use predict');
    this.alphabet = preprocessing.alphabet;
    this.context = preprocessing.context;
    this.input = input.name;
    this.symbols = this.alphabet.length;
    const logits = { ...network, output: network.loss.prediction };
    const shape = resolveModel(network).shapes.get(network.loss.prediction) ?? [];
    if (shape.length !== 2 || shape[0] !== this.context || shape[1] !== this.symbols)
      throw new UserError('the model writes no texts: it has no logits for each position; use predict');
    this.whole = model.predictorOf(logits);
    const found = stepNetwork(network, keysAt(0, this.context));
    this.unsupported = 'unsupported' in found ? found.unsupported : undefined;
  }

  /** The symbols that follow a prompt, one after the other. @throws UserError when the prompt has symbols that are unknown */
  async *write(request: GenerationRequest): AsyncGenerator<string, void, void> {
    const { prompt, length } = request;
    const given = [...numbersOfText(Array.from(prompt), this.alphabet, 'the prompt')];
    if (given.length === 0) throw new UserError('the prompt is empty; give at least one character', 2);
    // Of a long prompt, the newest symbols.
    let window = given.slice(-this.context);
    const isCached = request.cache && this.unsupported === undefined;
    let kept = isCached ? new KeptRows(this.context) : undefined;
    for (let drawn = 0; drawn < length; drawn++) {
      if (window.length > this.context) {
        window = window.slice(-Math.max(1, Math.floor(this.context / 2)));
        kept = isCached ? new KeptRows(this.context) : undefined;
      }
      const logits =
        kept === undefined ? await this.wholeLogits(window) : await this.stepLogits(window, kept);
      const symbol = drawSymbol(logits, request, drawn);
      window.push(symbol);
      yield this.alphabet[symbol] as string;
    }
  }

  /** The logits behind the last symbol, by a whole window. What follows it does not reach them. */
  private async wholeLogits(window: readonly number[]): Promise<Float32Array> {
    const ids = new Float32Array(this.context);
    ids.set(window);
    const all = await this.whole.predict({ [this.input]: ids });
    const at = (window.length - 1) * this.symbols;
    return all.slice(at, at + this.symbols);
  }

  /** The same, by the positions that have not been computed yet. */
  private async stepLogits(window: readonly number[], kept: KeptRows): Promise<Float32Array> {
    let logits: Float32Array = new Float32Array();
    while (kept.positions < window.length) {
      const { positions } = kept;
      const { network, predictor } = this.stepAt(keysAt(positions, this.context));
      const inputs = kept.inputsOf(network, window[positions] as number);
      const outputs = await predictor.predict(inputs);
      kept.take(network, outputs);
      logits = outputs.slice(0, network.symbols);
    }
    return logits;
  }

  private stepAt(keys: number): Step {
    const known = this.steps.get(keys);
    if (known !== undefined) return known;
    const network = stepNetwork(this.network, keys);
    if ('unsupported' in network) throw new UserError(`${network.unsupported} has no form for one position`);
    const step = { network, predictor: this.model.predictorOf(network.network, 1) };
    this.steps.set(keys, step);
    return step;
  }
}

/** What the positions of a window have left. */
class KeptRows {
  /** Positions computed so far. */
  positions = 0;
  private rows: Float32Array[] = [];

  constructor(private readonly context: number) {}

  /** The inputs of the next position. */
  inputsOf({ network, kept }: StepNetwork, token: number): Record<string, Float32Array> {
    if (this.rows.length === 0)
      this.rows = kept.map(
        ({ width, isPerPosition }) => new Float32Array(width * (isPerPosition ? this.context : 1)),
      );
    const { positions } = this;
    const keys = keysAt(positions, this.context);
    const { token: id, position, here, seen } = STEP_INPUTS;
    const values: Record<string, Float32Array> = {
      [id]: Float32Array.of(token),
      [position]: Float32Array.of(positions),
      [here]: Float32Array.from({ length: keys }, (_, i) => Number(i === positions)),
      [seen]: Float32Array.from({ length: keys }, (_, i) => Number(i <= positions)),
    };
    for (const [i, { input, width, isPerPosition }] of kept.entries()) {
      const rows = this.rows[i] as Float32Array;
      values[input] = isPerPosition ? rows.subarray(0, keys * width) : rows;
    }
    return Object.fromEntries(network.inputs.map(({ name }) => [name, values[name] as Float32Array]));
  }

  /** Keeps what the next position leaves. */
  take({ kept, symbols }: StepNetwork, outputs: Float32Array): void {
    let at = symbols;
    for (const [i, { width, isPerPosition }] of kept.entries()) {
      const to = isPerPosition ? this.positions * width : 0;
      this.rows[i]?.set(outputs.subarray(at, at + width), to);
      at += width;
    }
    this.positions += 1;
  }
}
