#!/usr/bin/python3
"""Writes test/golden/adversarial.json: 100 steps of a generator and a judge that learn against each other, in PyTorch.

Each has an optimizer of its own: Adam for the generator, stochastic gradient descent with momentum for the judge. Both take
their step after one backward pass, in which the generator's gradient is reversed. All numbers come from the generator of
trajectories.py; PyTorch computes in float64. Needs Debian's python3-torch; run as

    /usr/bin/python3 scripts/dev/golden/adversarial.py [directory]
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

from networks import dense, linear
from trajectories import SAMPLES, TRAINING_STEPS, Congruence, number

MAKE = dense("make_inner", 3, 8) | dense("make_outer", 8, 2)
JUDGE = dense("judge_inner", 2, 8) | dense("judge_outer", 8, 1)


def judged(w, x):
    return linear(w, "judge_outer", torch.tanh(linear(w, "judge_inner", x)))


def train():
    numbers = Congruence(1)
    real, noise = numbers.tensor([SAMPLES, 2], 1.0, 0.5), numbers.tensor([SAMPLES, 3])
    shapes = MAKE | JUDGE
    w = {name: numbers.tensor(shapes[name], 0.5).requires_grad_() for name in sorted(shapes)}
    make, judge = ([w[name] for name in sorted(part)] for part in (MAKE, JUDGE))
    optimizers = [torch.optim.Adam(make, lr=0.01, eps=1e-7), torch.optim.SGD(judge, lr=0.05, momentum=0.9, weight_decay=0.01)]
    losses = []
    for _ in range(TRAINING_STEPS):
        for optimizer in optimizers:
            optimizer.zero_grad()
        made = linear(w, "make_outer", torch.tanh(linear(w, "make_inner", noise)))
        loss = (F.softplus(-judged(w, real)) + F.softplus(judged(w, made))).mean() / 2
        loss.backward()
        for p in make:
            p.grad.neg_()
        losses.append(number(loss.item()))
        for optimizer in optimizers:
            optimizer.step()
    return {"losses": losses, "weights": {name: [number(x) for x in p.detach().flatten().tolist()] for name, p in w.items()}}


def main():
    here = pathlib.Path(__file__).resolve().parents[3] / "test" / "golden"
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    golden = {"comment": f"Made by scripts/dev/golden/adversarial.py with PyTorch {torch.__version__}."} | train()
    (directory / "adversarial.json").write_text(json.dumps(golden, separators=(",", ":")).replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
