/*
 * Writes a network as a PyTorch module: its submodules, their state, and the lines of forward().
 */
import { UserError } from '../../../shared/errors.js';
import type { Tensor } from '../../../shared/files/tensors.js';
import type { ResolvedNode } from '../../../shared/graph/resolve.js';

/** A Python expression. */
export type Code = string;

/** A use of an op. */
export interface TorchUse {
  readonly node: ResolvedNode;
  readonly inputs: readonly [Code, ...Code[]];
}

/** Adds the lines of a use. @returns the variable of its output */
export type TorchOpWriter = (to: NetworkWriter, use: TorchUse) => Code;

/** A submodule: what constructs it, and its state. */
export interface SubmoduleSpec {
  readonly code: Code;
  readonly state: Readonly<Record<string, Omit<Tensor, 'name'> | undefined>>;
}

/** What a submodule of PyTorch already has: other names for layers of these names. */
const RESERVED = new Set(
  (
    'T_destination add_module apply bfloat16 bias buffers call_super_init children compile cpu cuda double dump_patches eval ' +
    'extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia ' +
    'named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer ' +
    'register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook ' +
    'register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter ' +
    'register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory ' +
    'state_dict to to_empty train training type weight xpu zero_grad'
  ).split(' '),
);

export class NetworkWriter {
  /** Paths and constructors of the submodules. */
  readonly submodules = new Map<string, Code>();
  readonly lines: string[] = [];
  private readonly tensors = new Map<string, Tensor>();
  private readonly paths = new Map<string, string>();
  private count = 0;

  /**
   * @param parameters of the network, by name
   * @param known paths of layers that have names elsewhere, such as in GPT-2
   */
  constructor(
    private readonly parameters: ReadonlyMap<string, Tensor>,
    private readonly known: ReadonlyMap<string, string>,
  ) {}

  /** The state of all submodules, under PyTorch's names. */
  get state(): readonly Tensor[] {
    return [...this.tensors.values()];
  }

  /** Adds a line that computes. @returns the variable of its result */
  line(value: Code): Code {
    const name = `t${this.count++}`;
    this.lines.push(`${name} = ${value}`);
    return name;
  }

  /** A parameter of a node; undefined where the node has none. @throws UserError when the weights lack it */
  weight({ node }: TorchUse, role: string): Tensor | undefined {
    const name = node.parameters[role];
    if (name === undefined) return undefined;
    const tensor = this.parameters.get(name);
    if (tensor !== undefined) return tensor;
    throw new UserError(`the weights have no ${name}: they are of another network`);
  }

  /** A parameter that the op always has. */
  needed(use: TorchUse, role: string): Tensor {
    const tensor = this.weight(use, role);
    if (tensor === undefined)
      throw new UserError(`layer ${use.node.name} has no parameter ${role}; use an undamaged run`);
    return tensor;
  }

  /** Whether a node has a given name elsewhere. */
  knownPath({ node }: TorchUse): string | undefined {
    return this.known.get(node.name);
  }

  /**
   * The submodule of a node's parameters. Nodes with the same parameters share one.
   * @returns an expression of the submodule
   */
  submodule(use: TorchUse, { code, state }: SubmoduleSpec): Code {
    const { node } = use;
    const key = JSON.stringify(Object.values(node.parameters).sort());
    let path = this.paths.get(key);
    if (path === undefined) {
      const owner = (Object.values(node.parameters)[0] as string).replace(/\/[^/]*$/, '');
      path = this.unusedPath(this.known.get(node.name) ?? torchPath(owner));
      this.paths.set(key, path);
      this.submodules.set(path, code);
      for (const [name, tensor] of Object.entries(state))
        if (tensor !== undefined)
          this.tensors.set(`${path}.${name}`, { name: `${path}.${name}`, ...pick(tensor) });
    }
    return `self.get_submodule(${text(path)})`;
  }

  private unusedPath(wanted: string): string {
    let path = wanted;
    for (let i = 2; this.submodules.has(path); i++) path = `${wanted}_${i}`;
    return path;
  }
}

/** A text as a Python literal. */
export function text(value: string): Code {
  return JSON.stringify(value);
}

/** Numbers as a Python tuple. */
export function tuple(values: readonly number[]): Code {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(', ')})`;
}

/** A flag in Python. */
export function flag(value: boolean): Code {
  return value ? 'True' : 'False';
}

/** An identifier of Python that is no keyword. */
export function identifier(name: string): string {
  return `${name.replace(/\W/g, '_')}`.replace(
    /^(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|self|torch|nn|t\d+|try|while|with|yield)$/,
    '$1_',
  );
}

/** block1/attention is block1.attention. */
function torchPath(layer: string): string {
  return layer
    .split('/')
    .map((part) => part.replace(/\W/g, '_'))
    .map((part) => (RESERVED.has(part) ? `${part}_` : part))
    .join('.');
}

function pick({ shape, values }: Omit<Tensor, 'name'>): Omit<Tensor, 'name'> {
  return { shape, values };
}
