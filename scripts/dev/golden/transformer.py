"""Cases of generate.py with attention. Tensors have the names of the parameters of our layers."""
import math

import torch
import torch.nn.functional as F

WIDTH, HEADS, SYMBOLS, POSITIONS = 4, 2, 5, 6


def norm(w, name, x):
    return F.layer_norm(x, (x.shape[-1],), w[f"{name}/gamma"], w[f"{name}/beta"], eps=1e-5)


def attend(q, k, v, hidden):
    """Attention of HEADS heads; `hidden` is true for hidden keys."""
    def split(x):
        return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(hidden, -math.inf)
    return (torch.softmax(scores, -1) @ v).transpose(1, 2).flatten(2)


def draw_norm(draw, name):
    return {f"{name}/gamma": 1 + draw.normal(WIDTH, deviation=0.2), f"{name}/beta": draw.normal(WIDTH, deviation=0.2)}


def gpt(draws, dense):
    """Embeddings, one causal pre-norm block with gelu, norm, dense; a symbol at each position; SGD."""
    draw = draws(21)
    data = {"x": draw.classes(5, POSITIONS, count=SYMBOLS), "y": draw.classes(5, POSITIONS, count=SYMBOLS)}
    weights = {"embedding/table": draw.normal(SYMBOLS, WIDTH), "positionalEmbedding/table": draw.normal(POSITIONS, WIDTH)}
    weights |= draw.dense("block/attention/inputs", WIDTH, 3 * WIDTH) | draw.dense("block/attention/output", WIDTH, WIDTH)
    weights |= draw.dense("block/feedForward/inner", WIDTH, 8) | draw.dense("block/feedForward/outer", 8, WIDTH)
    for name in ("block/attentionNorm", "block/feedForwardNorm", "layerNormalization"):
        weights |= draw_norm(draw, name)
    weights |= draw.dense("dense", WIDTH, SYMBOLS)
    future = torch.ones(POSITIONS, POSITIONS, dtype=torch.bool).triu(1)

    def loss(w):
        x = w["embedding/table"][data["x"]] + w["positionalEmbedding/table"]
        q, k, v = dense(w, "block/attention/inputs", norm(w, "block/attentionNorm", x)).chunk(3, -1)
        x = x + dense(w, "block/attention/output", attend(q, k, v, future))
        inner = F.gelu(dense(w, "block/feedForward/inner", norm(w, "block/feedForwardNorm", x)))
        x = x + dense(w, "block/feedForward/outer", inner)
        logits = dense(w, "dense", norm(w, "layerNormalization", x))
        return F.cross_entropy(logits.flatten(0, 1), data["y"].flatten())

    # Not Adam: the gradient of the bias of the keys consists of rounding errors, which Adam would scale up.
    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9)


def reversible_embedding(draws, dense):
    """One embedding table for inputs and outputs; SGD."""
    draw = draws(23)
    data = {"x": draw.classes(5, POSITIONS, count=SYMBOLS), "y": draw.classes(5, POSITIONS, count=SYMBOLS)}
    weights = {"symbols/table": draw.normal(SYMBOLS, WIDTH)}
    weights |= draw.dense("inner", WIDTH, WIDTH) | draw.dense("outer", WIDTH, WIDTH)

    def loss(w):
        x = w["symbols/table"][data["x"]]
        hidden = torch.tanh(dense(w, "outer", x + dense(w, "inner", x)))
        return F.cross_entropy((hidden @ w["symbols/table"].t()).flatten(0, 1), data["y"].flatten())

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.2)


def cross_attention(draws, dense):
    """Attention to a memory that a relu masks; silu, leaky relu and sinusoidal positions; SGD."""
    draw = draws(22)
    data = {"x": draw.normal(5, 3, WIDTH), "y": draw.normal(5, 3, WIDTH)}
    weights = draw.dense("memory", WIDTH, WIDTH) | draw.dense("mask", 3 * WIDTH, 3)
    weights |= draw.dense("cross/queries", WIDTH, WIDTH) | draw.dense("cross/memory", WIDTH, 2 * WIDTH)
    weights |= draw.dense("cross/output", WIDTH, WIDTH)
    # At least one key is visible: PyTorch gives NaN for queries without visible keys.
    weights["mask/bias"][0] = 9.0
    angle = torch.arange(3.0)[:, None] / 10000 ** (torch.tensor([0.0, 0.0, 2.0, 2.0]) / WIDTH)
    waves = torch.where(torch.arange(WIDTH) % 2 == 0, angle.sin(), angle.cos())

    def loss(w):
        x = data["x"] + waves
        memory = F.silu(dense(w, "memory", x))
        hidden = (F.relu(dense(w, "mask", data["x"].flatten(1))) == 0)[:, None, None, :]
        k, v = dense(w, "cross/memory", memory).chunk(2, -1)
        y = dense(w, "cross/output", attend(dense(w, "cross/queries", x), k, v, hidden))
        # The mask has a gradient of 0 in place of none.
        return F.mse_loss(F.leaky_relu(y, 0.3), data["y"]) + 0 * (w["mask/kernel"].sum() + w["mask/bias"].sum())

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.2)


CASES = {"gpt": gpt, "reversible-embedding": reversible_embedding, "cross-attention": cross_attention}
