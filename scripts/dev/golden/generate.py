#!/usr/bin/python3
"""Writes the golden files of test/golden/: losses, gradients and weights of small models in PyTorch.

Each file holds a batch, the weights before training, the loss and every gradient, the losses of ten steps on that
batch, and the weights after them. test/graph/golden.test.ts builds the same models and compares.

PyTorch computes in float64 from float32 inputs and weights, so that its rounding errors are negligible. Needs Debian's
python3-torch; run as

    /usr/bin/python3 scripts/dev/golden/generate.py [directory]
"""
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

import axes
import composed
import detection
import normalization
import images
import recurrent
import smoothing
import transformer

STEPS = 10
torch.set_default_dtype(torch.float64)


class Draws:
    """Random float32 numbers from one seed."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape, deviation=1.0):
        values = torch.randn(*shape, generator=self.generator) * deviation
        return values.to(torch.float32).to(torch.float64)

    def classes(self, *shape, count):
        return torch.randint(count, shape, generator=self.generator)

    def dense(self, name, inputs, units):
        return {
            f"{name}/kernel": self.normal(inputs, units, deviation=1 / math.sqrt(inputs)),
            f"{name}/bias": self.normal(units, deviation=0.1),
        }


def dense(w, name, x):
    return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]


def classifier():
    """dense relu, dense softmax; class numbers; Adam."""
    draw = Draws(1)
    data = {"x": draw.normal(6, 5), "y": draw.classes(6, count=4)}
    weights = draw.dense("dense", 5, 7) | draw.dense("dense_1", 7, 4)

    def loss(w):
        return F.cross_entropy(dense(w, "dense_1", F.relu(dense(w, "dense", data["x"]))), data["y"])

    return data, weights, loss, lambda p: torch.optim.Adam(p, lr=0.05, eps=1e-7)


def soft_targets():
    """dense tanh, dense softmax; targets are probabilities; AdamW."""
    draw = Draws(2)
    targets = torch.softmax(draw.normal(5, 3), dim=1).to(torch.float32).to(torch.float64)
    data = {"x": draw.normal(5, 4), "y": targets}
    weights = draw.dense("dense", 4, 6) | draw.dense("dense_1", 6, 3)

    def loss(w):
        return F.cross_entropy(dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"]))), data["y"])

    return data, weights, loss, lambda p: torch.optim.AdamW(p, lr=0.02, eps=1e-7, weight_decay=0.1)


def regression():
    """dense tanh, dense sigmoid, dense; mean squared error; SGD with Nesterov momentum."""
    draw = Draws(3)
    data = {"x": draw.normal(7, 3), "y": draw.normal(7, 2)}
    weights = draw.dense("dense", 3, 5) | draw.dense("dense_1", 5, 4) | draw.dense("dense_2", 4, 2)

    def loss(w):
        h = torch.tanh(dense(w, "dense", data["x"]))
        return F.mse_loss(dense(w, "dense_2", torch.sigmoid(dense(w, "dense_1", h))), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)


def residual():
    """A shared layer used twice, a residual sum and a gate; SGD with momentum and weight decay."""
    draw = Draws(4)
    data = {"x": draw.normal(6, 4), "y": draw.normal(6, 4)}
    weights = draw.dense("shared", 4, 4) | draw.dense("gate", 4, 4)

    def loss(w):
        once = torch.tanh(dense(w, "shared", data["x"]))
        twice = torch.tanh(dense(w, "shared", once))
        gate = torch.sigmoid(dense(w, "gate", once))
        return F.mse_loss((once + twice + data["x"]) * gate, data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, weight_decay=0.01)


def sequence():
    """Dense layers at each of three positions of a sample; a class for each position; plain SGD."""
    draw = Draws(5)
    data = {"x": draw.normal(4, 3, 5), "y": draw.classes(4, 3, count=4)}
    weights = draw.dense("dense", 5, 6) | draw.dense("dense_1", 6, 4)

    def loss(w):
        logits = dense(w, "dense_1", F.relu(dense(w, "dense", data["x"])))
        return F.cross_entropy(logits.flatten(0, 1), data["y"].flatten())

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.5)


def probabilities():
    """Cross-entropy of probabilities that are the product of two softmax outputs."""
    draw = Draws(6)
    data = {"x": draw.normal(5, 3), "y": draw.classes(5, count=4)}
    weights = draw.dense("dense", 3, 4) | draw.dense("dense_1", 3, 4)

    def loss(w):
        p = torch.softmax(dense(w, "dense", data["x"]), 1) * torch.softmax(dense(w, "dense_1", data["x"]), 1)
        return -torch.log(p.gather(1, data["y"][:, None])).mean()

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


def of_elements(seed, loss_of):
    """The common part of the cases below: dense tanh, dense."""
    draw = Draws(seed)
    data = {"x": draw.normal(6, 3), "y": draw.classes(6, 4, count=2).to(torch.float64)}
    weights = draw.dense("dense", 3, 5) | draw.dense("dense_1", 5, 4)

    def loss(w):
        return loss_of(dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"]))), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.05)


def absolute():
    """Mean absolute error."""
    return of_elements(8, F.l1_loss)


def huber():
    """Huber's loss with delta 0.5."""
    return of_elements(9, lambda y, t: F.huber_loss(y, t, delta=0.5))


def binary():
    """Binary cross-entropy of logits."""
    return of_elements(10, F.binary_cross_entropy_with_logits)


def ctc():
    """Connectionist temporal classification; with equal labels, without labels, and with labels that do not fit."""
    draw = Draws(7)
    labels = torch.tensor([[1, 2, 3], [2, 2, 0], [0, 0, 0], [1, 1, 1], [3, 1, 3]])
    data = {"x": draw.normal(5, 4, 6), "y": labels}
    weights = draw.dense("dense", 6, 8) | draw.dense("dense_1", 8, 4)

    def loss(w):
        logits = dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"])))
        log_probabilities = F.log_softmax(logits, dim=2).transpose(0, 1)
        lengths = (labels > 0).sum(1)
        steps = torch.full((5,), 4)
        return F.ctc_loss(log_probabilities, labels, steps, lengths, reduction="none", zero_infinity=True).mean()

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.3)


def bound(case):
    """A case of another file, with the functions of this one as arguments."""
    def run():
        return case(Draws, dense)
    run.__doc__ = case.__doc__
    return run


CASES = {
    "classifier": classifier,
    "soft-targets": soft_targets,
    "regression": regression,
    "residual": residual,
    "sequence": sequence,
    "probabilities": probabilities,
    "absolute": absolute,
    "huber": huber,
    "binary": binary,
    "ctc": ctc,
} | {name: bound(case) for name, case in (axes.CASES | composed.CASES | detection.CASES | normalization.CASES | images.CASES | recurrent.CASES | smoothing.CASES | transformer.CASES).items()}


def train(case):
    data, weights, loss_of, optimizer_of = case()
    golden = {"data": tensors(data), "weights": tensors(weights)}
    trained = {name: values.clone().requires_grad_() for name, values in weights.items()}
    optimizer = optimizer_of(list(trained.values()))
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(trained)
        loss.backward()
        if step == 0:
            golden["gradients"] = tensors({name: w.grad for name, w in trained.items()})
        losses.append(number(loss.item()))
        optimizer.step()
    return golden | {"losses": losses, "finalWeights": tensors(trained)}


def tensors(named):
    return {
        name: {"shape": list(t.shape), "values": [number(x) for x in t.detach().flatten().tolist()]}
        for name, t in sorted(named.items())
    }


def number(x):
    return int(x) if isinstance(x, int) else float(f"{x:.9g}")


def main():
    here = pathlib.Path(__file__).resolve().parents[3] / "test" / "golden"
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    for name, case in CASES.items():
        comment = f"{case.__doc__} Made by scripts/dev/golden/generate.py with PyTorch {torch.__version__}."
        text = json.dumps({"comment": comment} | train(case), separators=(",", ":"))
        (directory / f"{name}.json").write_text(text.replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
