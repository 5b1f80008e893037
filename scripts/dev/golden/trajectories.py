#!/usr/bin/python3
"""Writes test/golden/trajectories.json: optimizers, schedules and training in PyTorch, over several steps.

`optimizers`: the weights after a few steps. `schedules`: the multiples of the rate at each step. `losses`: 100 steps of four
networks. All inputs come from the generator below, which test/support/congruence.ts implements too; PyTorch computes in
float64. Lion and Muon, which PyTorch 1.13 does not have, are implemented here. Needs Debian's python3-torch; run as

    /usr/bin/python3 scripts/dev/golden/trajectories.py [directory]
"""
import json
import math
import pathlib
import sys

import torch

from networks import cnn, gpt, lstm, mlp

torch.set_default_dtype(torch.float64)
OPTIMIZER_STEPS, SCHEDULE_STEPS, TRAINING_STEPS = 8, 40, 100


class Congruence:
    """Numbers of 24 bits in [0, 1), exact in float32: the upper bits of a linear congruential generator."""

    def __init__(self, seed):
        self.state = seed

    def unit(self):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) / 2**24

    def tensor(self, shape, scale=1.0, middle=0.0):
        count = math.prod(shape)
        return torch.tensor([(2 * self.unit() - 1) * scale + middle for _ in range(count)]).reshape(shape)

    def classes(self, shape, count):
        return torch.tensor([int(self.unit() * count) for _ in range(math.prod(shape))]).reshape(shape)


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, parameters, lr, betas, weight_decay):
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (one, two), rate = group["betas"], group["lr"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                direction = torch.sign(one * m + (1 - one) * p.grad)
                p -= rate * (direction + group["weight_decay"] * p)
                m.mul_(two).add_((1 - two) * p.grad)


class Muon(torch.optim.Optimizer):
    """Jordan et al. 2024; weights here are [inputs, outputs], the transpose of those in PyTorch."""

    def __init__(self, parameters, lr, momentum, nesterov, weight_decay):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            momentum, rate = group["momentum"], group["lr"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - momentum)
                x = p.grad.lerp(m, momentum) if group["nesterov"] else m
                p *= 1 - rate * group["weight_decay"]
                p -= rate * max(1, p.shape[1] / p.shape[0]) ** 0.5 * orthogonal(x)


def orthogonal(x):
    """Five Newton-Schulz iterations on the smaller side."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = x / (x.norm() + 1e-7)
    is_tall = x.shape[0] > x.shape[1]
    x = x.T if is_tall else x
    for _ in range(5):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if is_tall else x


def sgd(**settings):
    given = {"learningRate": 0.1, "momentum": 0.9, "nesterov": False, "weightDecay": 0.05} | settings
    return {"name": "sgd"} | given, lambda p: torch.optim.SGD(
        p, lr=given["learningRate"], momentum=given["momentum"], nesterov=given["nesterov"], weight_decay=given["weightDecay"])


def adam(decay, kind):
    given = {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": decay}
    return {"name": "adam"} | given, lambda p: kind(
        p, lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=decay)


def muon(nesterov):
    aux = {"adamLearningRate": 3e-4, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-10}
    given = {"name": "muon", "learningRate": 0.05, "momentum": 0.9, "nesterov": nesterov, "weightDecay": 0.1}
    return given | aux, lambda p: Muon(p, lr=0.05, momentum=0.9, nesterov=nesterov, weight_decay=0.1)


OPTIMIZERS = {
    "sgd with momentum and decay": sgd(),
    "sgd with Nesterov momentum and decay": sgd(nesterov=True, momentum=0.8),
    "rmsprop": ({"name": "rmsprop", "learningRate": 0.01, "rho": 0.8, "momentum": 0.7, "epsilon": 1e-3, "weightDecay": 0.1},
                lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.8, eps=1e-3, weight_decay=0.1, momentum=0.7)),
    "adagrad": ({"name": "adagrad", "learningRate": 0.1, "epsilon": 1e-3, "weightDecay": 0.1},
                lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-3, weight_decay=0.1)),
    "adam": adam(0, torch.optim.Adam),
    "adamw": adam(0.1, torch.optim.AdamW),
    "lion": ({"name": "lion", "learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "weightDecay": 0.2},
             lambda p: Lion(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.2)),
    "muon": muon(False),
    "muon with Nesterov momentum": muon(True),
}
SHAPES = [[5, 8], [8, 5]]


def optimizer(settings, create):
    """The weights after some steps with gradients of half the weights plus random numbers."""
    after = []
    for shape in SHAPES:
        numbers = Congruence(7)
        w = numbers.tensor(shape).requires_grad_()
        steps = create([w])
        for _ in range(OPTIMIZER_STEPS):
            w.grad = 0.5 * w.detach() + numbers.tensor(shape)
            steps.step()
        after.append([number(x) for x in w.detach().flatten().tolist()])
    return {"settings": settings, "after": after}


def schedules():
    kinds = torch.optim.lr_scheduler
    n = SCHEDULE_STEPS
    # In PyTorch the cycle ends one step earlier than here, and its rise too.
    cycle = {"max_lr": 1, "total_steps": n + 1, "pct_start": (0.25 * n + 1) / (n + 1), "div_factor": 10, "final_div_factor": 10,
             "cycle_momentum": False}
    cases = {
        "step": ({"name": "step", "warmup": 0, "every": 7, "factor": 0.5}, lambda o: kinds.StepLR(o, 7, 0.5)),
        "cosine": ({"name": "cosine", "warmup": 0, "floor": 0.1}, lambda o: kinds.CosineAnnealingLR(o, n, 0.1)),
        "warmRestarts": ({"name": "warmRestarts", "warmup": 0, "period": 5, "growth": 2, "floor": 0.2},
                         lambda o: kinds.CosineAnnealingWarmRestarts(o, 5, 2, 0.2)),
        "oneCycle": ({"name": "oneCycle", "rise": 0.25, "start": 0.1, "floor": 0.01}, lambda o: kinds.OneCycleLR(o, **cycle)),
        "exponential": ({"name": "exponential", "warmup": 0, "factor": 0.9}, lambda o: kinds.ExponentialLR(o, 0.9)),
        "warm-up": ({"name": "constant", "warmup": 9}, lambda o: kinds.LinearLR(o, 0.1, 1, 9)),
    }
    return {name: rates_of(*case) for name, case in cases.items()}


def rates_of(settings, create):
    steps = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
    schedule = create(steps)
    rates = []
    for _ in range(SCHEDULE_STEPS):
        rates.append(number(steps.param_groups[0]["lr"]))
        steps.step()
        schedule.step()
    return {"settings": settings, "rates": rates}


SAMPLES = 24


def train(case):
    """Trains with all samples in every step. Weights are drawn in name order, around 0, those of scales around 1."""
    x_shape, y_shape, count, shapes, loss_of, create = case()
    numbers = Congruence(1)
    is_text = case is gpt
    x = numbers.classes([SAMPLES, *x_shape], count) if is_text else numbers.tensor([SAMPLES, *x_shape])
    y = numbers.classes([SAMPLES, *y_shape], count)
    weights = {
        name: numbers.tensor(shapes[name], 0.25, 1.0 if name.endswith("gamma") else 0.0).requires_grad_()
        for name in sorted(shapes)
    }
    optimizer = create(list(weights.values()))
    losses = []
    for _ in range(TRAINING_STEPS):
        optimizer.zero_grad()
        loss = loss_of(weights, x, y)
        loss.backward()
        losses.append(number(loss.item()))
        optimizer.step()
    return losses


def number(x):
    return float(f"{x:.9g}")


def main():
    here = pathlib.Path(__file__).resolve().parents[3] / "test" / "golden"
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    golden = {
        "comment": f"Made by scripts/dev/golden/trajectories.py with PyTorch {torch.__version__}.",
        "optimizers": {name: optimizer(*case) for name, case in OPTIMIZERS.items()},
        "schedules": schedules(),
        "losses": {case.__name__: train(case) for case in (mlp, cnn, lstm, gpt)},
    }
    text = json.dumps(golden, separators=(",", ":"))
    (directory / "trajectories.json").write_text(text.replace('},"', '},\n"').replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
