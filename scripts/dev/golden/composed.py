"""Cases of generate.py with layers that are composed of ops, and with weights of samples and classes."""
import math

import torch
import torch.nn.functional as F



def ends(draws, seed, dense, shape, elements, more):
    """Data and weights of a model with a dense layer before and after a layer in the middle."""
    draw = draws(seed)
    data = {"x": draw.normal(5, *shape), "y": draw.normal(5, 2)}
    weights = draw.dense("dense", shape[-1], shape[-1]) | more(draw) | draw.dense("dense_1", elements, 2)

    def loss_of(middle):
        def loss(w):
            y = middle(w, torch.tanh(dense(w, "dense", data["x"])))
            return F.mse_loss(dense(w, "dense_1", y.flatten(1)), data["y"])

        return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)

    return loss_of


def rms_swiglu(draws, dense):
    """RMS normalisation and a SwiGLU."""
    def more(draw):
        return {
            "rmsNormalization/scale/value": 1 + draw.normal(6, deviation=0.2),
            "swiGlu/gate/kernel": draw.normal(6, 5, deviation=0.4),
            "swiGlu/output/kernel": draw.normal(5, 6, deviation=0.4),
            "swiGlu/value/kernel": draw.normal(6, 5, deviation=0.4),
        }

    def middle(w, x):
        x = x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * w["rmsNormalization/scale/value"]
        return (F.silu(x @ w["swiGlu/gate/kernel"]) * (x @ w["swiGlu/value/kernel"])) @ w["swiGlu/output/kernel"]

    return ends(draws, 61, dense, (3, 6), 18, more)(middle)


def turned(x):
    """Rotary positions of [rows, heads, positions, size], by complex numbers."""
    half = x.shape[-1] // 2
    frequencies = 10000 ** (-torch.arange(half) / half)
    angles = torch.arange(x.shape[-2])[:, None] * frequencies
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([z.real, z.imag], -1)


def rotary_attention(draws, dense):
    """Causal attention of two heads with rotary positions."""
    name = "multiHeadAttention"

    def more(draw):
        return draw.dense(f"{name}/inputs", 8, 24) | draw.dense(f"{name}/output", 8, 8)

    def middle(w, x):
        q, k, v = (part.unflatten(2, (2, 4)).transpose(1, 2) for part in dense(w, f"{name}/inputs", x).split(8, 2))
        scores = turned(q) @ turned(k).transpose(2, 3) / math.sqrt(4)
        hidden = torch.full((5, 5), -math.inf).triu(1)
        y = F.softmax(scores + hidden, -1) @ v
        return dense(w, f"{name}/output", y.transpose(1, 2).flatten(2))

    return ends(draws, 62, dense, (5, 8), 40, more)(middle)


def conv_group_norm(draws, dense):
    """A one-dimensional convolution with stride 2, and group normalisation."""
    def more(draw):
        return {
            "conv1d/taps/bias": draw.normal(4, deviation=0.1),
            "conv1d/taps/kernel": draw.normal(3, 1, 3, 4, deviation=0.4),
            "groupNormalization/beta/value": draw.normal(4, deviation=0.2),
            "groupNormalization/gamma/value": 1 + draw.normal(4, deviation=0.2),
        }

    def middle(w, x):
        kernel = w["conv1d/taps/kernel"][:, 0].permute(2, 1, 0)
        y = F.conv1d(F.pad(x.transpose(1, 2), (1, 1)), kernel, w["conv1d/taps/bias"], stride=2)
        gamma, beta = w["groupNormalization/gamma/value"], w["groupNormalization/beta/value"]
        return F.group_norm(y, 2, gamma, beta, 1e-5).transpose(1, 2)

    return ends(draws, 63, dense, (7, 3), 16, more)(middle)


def weighted_numbers(draws, dense):
    """Cross-entropy of sequences with weights of samples and classes, and label smoothing."""
    draw = draws(64)
    data = {"x": draw.normal(5, 2, 4), "y": draw.classes(5, 2, count=3), "weight": draw.normal(5).abs()}
    weights = draw.dense("dense", 4, 5) | draw.dense("dense_1", 5, 3)
    classes = torch.tensor([0.5, 2, 1.25])

    def loss(w):
        logits = dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"])))
        terms = F.cross_entropy(logits.flatten(0, 1), data["y"].flatten(), reduction="none", label_smoothing=0.1)
        return (terms.view(5, 2) * classes[data["y"]] * data["weight"][:, None]).mean()

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.3)


CASES = {
    "rms-swiglu": rms_swiglu,
    "rotary-attention": rotary_attention,
    "conv-group-norm": conv_group_norm,
    "weighted-numbers": weighted_numbers,
}
