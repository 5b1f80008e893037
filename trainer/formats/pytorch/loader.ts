/*
 * The Python program that builds a network in PyTorch and loads its weights.
 */
import type { Model } from '../../../shared/graph/model.js';
import { formatShape } from '../../../shared/graph/shape.js';
import { type Code, identifier, type NetworkWriter, text } from './network-writer.js';

/** Functions that some networks need, by name. */
const HELPERS: Readonly<Record<string, Code>> = {
  channels_first: `def channels_first(x):
    """[batch, height, width, channels], as the network has images, as PyTorch has them."""
    return x.permute(0, 3, 1, 2)`,
  channels_last: `def channels_last(x):
    return x.permute(0, 2, 3, 1)`,
  max_pool: `def max_pool(x, size, stride, pads):
    return F.max_pool2d(F.pad(x, pads, value=-math.inf), size, stride)`,
  average_pool: `def average_pool(x, size, stride, pads):
    """Pixels outside of the image do not count."""
    inside = F.avg_pool2d(F.pad(torch.ones_like(x[:1, :1]), pads), size, stride)
    return F.avg_pool2d(F.pad(x, pads), size, stride) / inside`,
  embed: `def embed(table, ids):
    """Numbers that are no entries give zeros."""
    known = (ids >= 0) & (ids < table.num_embeddings)
    return table(torch.where(known, ids, torch.zeros_like(ids)).long()) * known.unsqueeze(-1)`,
  sinusoids: `def sinusoids(positions, width):
    """Vaswani et al. 2017."""
    angles = [[p / 10000 ** (2 * (i // 2) / width) for i in range(width)] for p in range(positions)]
    rows = [[math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(row)] for row in angles]
    return torch.tensor(rows)`,
  attention: `def attention(q, k, v, heads, causal, mask):
    """[batch, positions, width] each; the mask, [batch, keys], is 0 for keys that are hidden."""
    batch, queries, width = q.shape
    q, k, v = (x.reshape(batch, -1, heads, width // heads).transpose(1, 2) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads)
    seen = torch.ones_like(scores, dtype=torch.bool)
    if causal:
        seen = seen.tril()
    if mask is not None:
        seen = seen & (mask != 0).reshape(batch, 1, 1, -1)
    weights = F.softmax(scores.masked_fill(~seen, -1e30), -1) * seen
    return (weights @ v).transpose(1, 2).reshape(batch, queries, width)`,
  recurrent: `def recurrent(layer, x, reverse, mask, state):
    """The outputs at all steps, and the states after the last; where the mask is 0, states stay as they are."""
    states = None if state is None else [s.unsqueeze(0) for s in state]
    if states is not None and len(states) == 1:
        states = states[0]
    elif states is not None:
        states = tuple(states)
    if mask is None:
        y, last = layer(x.flip(1) if reverse else x, states)
        last = last if isinstance(last, tuple) else (last,)
        return (y.flip(1) if reverse else y), [s[0] for s in last]
    count = 2 if isinstance(layer, nn.LSTM) else 1
    zeros = x.new_zeros(1, x.shape[0], layer.hidden_size)
    states = [zeros] * count if states is None else list(states) if count == 2 else [states]
    steps = x.shape[1]
    outputs = [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        _, after = layer(x[:, t : t + 1], tuple(states) if count == 2 else states[0])
        after = after if count == 2 else (after,)
        present = (mask[:, t] != 0).reshape(1, -1, 1)
        states = [torch.where(present, new, old) for new, old in zip(after, states)]
        outputs[t] = states[0][0]
    return torch.stack(outputs, 1), [s[0] for s in states]`,
  Conv1D: `class Conv1D(nn.Module):
    """The dense layer of GPT-2, with a weight of [inputs, units]."""

    def __init__(self, units, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, units))
        self.bias = nn.Parameter(torch.empty(units))

    def forward(self, x):
        return x @ self.weight + self.bias`,
};

/** What the program is written from. */
interface LoaderParts {
  readonly network: Model;
  readonly written: NetworkWriter;
  /** The variable of the output. */
  readonly output: Code;
  readonly outputShape: readonly number[];
  readonly weightsSha256: string;
  readonly version: string;
}

/** The text of load_in_torch.py. */
export function loaderProgram(parts: LoaderParts): string {
  const { network, written, output, outputShape, weightsSha256, version } = parts;
  const inputs = network.inputs.map(({ name }) => identifier(name));
  const body = [...written.submodules.values(), ...written.lines].join('\n');
  const helpers = Object.entries(HELPERS).filter(([name]) => new RegExp(`\\b${name}\\(`).test(body));
  const shapes = network.inputs
    .map(({ name, shape }) => `${identifier(name)} ${formatShape(shape)}`)
    .join(', ');
  return `${[
    `"""A network trained by Unisum ${version}, in PyTorch. Weights: ${weightsSha256}.

Inputs for one sample: ${shapes}; output: ${formatShape(outputShape)}. All are float32 with the batch as first axis, and
mean what they mean for \`unisum predict\`.

    from load_in_torch import load
    network = load("FOLDER")
"""
import json
import math
import os
import struct
import sys

import torch
import torch.nn.functional as F
from torch import nn`,
    ...helpers.map(([, code]) => code),
    `class Network(nn.Module):
    def __init__(self):
        super().__init__()
${[...written.submodules].map(([path, code]) => `        put(self, ${text(path)}, ${code})`).join('\n') || '        pass'}

    def forward(self, ${inputs.join(', ')}):
${[...written.lines, `return ${output}`].map((line) => `        ${line}`).join('\n')}`,
    `def put(module, path, submodule):
    """Adds a submodule; one that lies in others is known by a path with dots."""
    *outer, name = path.split(".")
    for part in outer:
        if part not in dict(module.named_children()):
            module.add_module(part, nn.Module())
        module = dict(module.named_children())[part]
    module.add_module(name, submodule)`,
    `def read_safetensors(path):
    """Tensors by name; the file holds float32 only."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data, dtype=torch.float32, count=math.prod(entry["shape"]), offset=entry["data_offsets"][0])
        .reshape(entry["shape"])
        .clone()
        for name, entry in header.items()
    }`,
    `def load(folder=os.path.dirname(os.path.abspath(__file__))):
    """The network with its weights, for prediction."""
    network = Network()
    state = read_safetensors(os.path.join(folder, "model.safetensors"))
    network.load_state_dict(state)
    return network.eval()`,
    `if __name__ == "__main__":
    loaded = load(*sys.argv[1:])
    print(loaded)
    print(sum(p.numel() for p in loaded.parameters()), "parameters")`,
  ].join('\n\n\n')}\n`;
}
