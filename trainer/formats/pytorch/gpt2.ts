/*
 * Networks with the architecture of GPT-2 get the names that Hugging Face's transformers has for it (models/gpt2/modeling_gpt2.py):
 * embeddings of tokens and positions; blocks of normalisation, causal attention, normalisation and two dense layers with gelu, each
 * part added to its input; a normalisation; and a product with the tokens' vectors or with others.
 */
import type { ResolvedModel, ResolvedNode } from '../../../shared/graph/resolve.js';
import { lastOf } from '../../../shared/graph/shape.js';

/** A network that is a GPT-2. */
export interface Gpt2 {
  /** Paths of the layers in GPT2LMHeadModel, by node. */
  readonly paths: ReadonlyMap<string, string>;
  /** The content of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether the last product has a bias, which GPT2LMHeadModel lacks. */
  readonly hasHeadBias: boolean;
}

interface Block {
  readonly heads: number;
  readonly inner: number;
  readonly output: ResolvedNode;
  /** Nodes with parameters, by their path in the block. */
  readonly layers: Readonly<Record<string, ResolvedNode>>;
}

/** Takes nodes in their order, as long as they are what is expected. */
class NodeCursor {
  private at = 0;

  constructor(private readonly nodes: readonly ResolvedNode[]) {}

  /** The next node, if it has this op and these inputs. */
  take(op: string, ...inputs: readonly (string | undefined)[]): ResolvedNode | undefined {
    const node = this.nodes[this.at];
    if (node?.op !== op || node.inputs.length !== inputs.length) return undefined;
    if (node.inputs.some((name, i) => name !== inputs[i])) return undefined;
    this.at++;
    return node;
  }

  /** What `take` finds, or nothing is taken. */
  attempt<T>(take: () => T | undefined): T | undefined {
    const before = this.at;
    const found = take();
    if (found === undefined) this.at = before;
    return found;
  }

  /** Nodes that have not been taken. */
  get rest(): readonly ResolvedNode[] {
    return this.nodes.slice(this.at);
  }
}

/** The network as a GPT-2; undefined if it is another one. */
export function asGpt2({ nodes, model }: ResolvedModel): Gpt2 | undefined {
  const cursor = new NodeCursor(withoutDropout(nodes));
  const tokens = cursor.take('embedding', model.inputs[0]?.name);
  const positions = cursor.take('positionalEmbedding', tokens?.name);
  if (tokens === undefined || positions?.shape.length !== 2) return undefined;
  const blocks: Block[] = [];
  let x = positions;
  for (;;) {
    const block = cursor.attempt(() => takeBlock(cursor, x.name));
    if (block === undefined) break;
    blocks.push(block);
    x = block.output;
  }
  const [first] = blocks;
  const norm = cursor.take('layerNormalization', x.name);
  const tied = cursor.take('reverseEmbedding', norm?.name);
  const head = tied ?? cursor.take('dense', norm?.name);
  if (first === undefined || norm === undefined || head === undefined) return undefined;
  const layers = new Map<string, ResolvedNode>([
    ['transformer.wte', tokens],
    ['transformer.wpe', positions],
    ...blocks.flatMap((block, i) =>
      Object.entries(block.layers).map(([path, node]): [string, ResolvedNode] => [
        `transformer.h.${i}.${path}`,
        node,
      ]),
    ),
    ['transformer.ln_f', norm],
    ...(tied === undefined ? [['lm_head', head] as const] : []),
  ]);
  const epsilons = new Set([...layers.values()].flatMap(({ op, attributes }) => epsilonOf(op, attributes)));
  const { entries } = tokens.attributes as { readonly entries: number };
  const isGpt2 =
    lastOf(head.shape) === entries &&
    (tied === undefined || tied.parameters.table === tokens.parameters.table) &&
    blocks.every(({ heads, inner }) => heads === first.heads && inner === first.inner) &&
    epsilons.size === 1 &&
    cursor.rest.every(({ parameters }) => Object.keys(parameters).length === 0);
  if (!isGpt2) return undefined;
  const [length, width] = positions.shape;
  return {
    paths: new Map([...layers].map(([path, { name }]) => [name, path])),
    hasHeadBias: head.parameters.bias !== undefined,
    config: {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      activation_function: 'gelu',
      vocab_size: entries,
      n_positions: length,
      n_embd: width,
      n_layer: blocks.length,
      n_head: first.heads,
      n_inner: first.inner,
      layer_norm_epsilon: [...epsilons][0],
      tie_word_embeddings: tied !== undefined,
    },
  };
}

function takeBlock(cursor: NodeCursor, x: string): Block | undefined {
  const ln1 = cursor.take('layerNormalization', x);
  const attn = cursor.take('dense', ln1?.name);
  const attention = cursor.take('attention', attn?.name);
  const projection = cursor.take('dense', attention?.name);
  const middle = cursor.take('add', x, projection?.name);
  const ln2 = cursor.take('layerNormalization', middle?.name);
  const inner = cursor.take('dense', ln2?.name);
  const outer = cursor.take('dense', cursor.take('gelu', inner?.name)?.name);
  const output = cursor.take('add', middle?.name, outer?.name);
  if (!(ln1 && attn && attention && projection && ln2 && inner && outer && output)) return undefined;
  const { heads, causal } = attention.attributes as { readonly heads: number; readonly causal: boolean };
  const products = { 'attn.c_attn': attn, 'attn.c_proj': projection, 'mlp.c_fc': inner, 'mlp.c_proj': outer };
  const haveBias = Object.values(products).every(({ parameters }) => parameters.bias !== undefined);
  if (!causal || !haveBias) return undefined;
  return { heads, inner: lastOf(inner.shape), output, layers: { ln_1: ln1, ln_2: ln2, ...products } };
}

/** The nodes of prediction: what follows a dropout follows its input. */
function withoutDropout(nodes: readonly ResolvedNode[]): ResolvedNode[] {
  const before = new Map<string, string>();
  const kept: ResolvedNode[] = [];
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => before.get(name) ?? name);
    if (node.op === 'dropout') before.set(node.name, inputs[0] as string);
    else kept.push({ ...node, inputs });
  }
  return kept;
}

function epsilonOf(op: string, attributes: unknown): number[] {
  return op === 'layerNormalization' ? [(attributes as { readonly epsilon: number }).epsilon] : [];
}
