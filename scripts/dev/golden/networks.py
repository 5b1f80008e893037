"""The networks of trajectories.py: shapes of x and y in a sample, classes, shapes of the weights, the loss, the optimizer."""
import math

import torch
import torch.nn.functional as F


def linear(w, name, x):
    return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]


def dense(name, inputs, units):
    return {f"{name}/kernel": [inputs, units], f"{name}/bias": [units]}


def mlp():
    shapes = dense("dense", 16, 32) | dense("dense_1", 32, 16) | dense("dense_2", 16, 5)

    def loss(w, x, y):
        hidden = F.relu(linear(w, "dense_1", F.relu(linear(w, "dense", x))))
        return F.cross_entropy(linear(w, "dense_2", hidden), y)

    return [16], [], 5, shapes, loss, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.001)


def cnn():
    shapes = {"conv2d/kernel": [3, 3, 1, 6], "conv2d/bias": [6]} | dense("dense", 54, 5)

    def loss(w, x, y):
        image = F.conv2d(x.permute(0, 3, 1, 2), w["conv2d/kernel"].permute(3, 2, 0, 1), w["conv2d/bias"])
        pooled = F.max_pool2d(F.relu(image), 2).permute(0, 2, 3, 1)
        return F.cross_entropy(linear(w, "dense", pooled.flatten(1)), y)

    return [8, 8, 1], [], 5, shapes, loss, lambda p: torch.optim.Adam(p, lr=0.005, eps=1e-7)


def lstm():
    shapes = {"lstm/kernel": [6, 64], "lstm/recurrentKernel": [16, 64], "lstm/bias": [64]} | dense("dense", 16, 4)

    def loss(w, x, y):
        zeros = torch.zeros(1, x.shape[0], 16)
        biases = [w["lstm/bias"], torch.zeros(64)]
        parameters = [w["lstm/kernel"].t(), w["lstm/recurrentKernel"].t(), *biases]
        outputs = torch.lstm(x, (zeros, zeros), parameters, True, 1, 0.0, True, False, True)[0]
        return F.cross_entropy(linear(w, "dense", outputs[:, -1]), y)

    return [7, 6], [], 4, shapes, loss, lambda p: torch.optim.RMSprop(p, lr=0.002, alpha=0.9, eps=1e-2)


WIDTH, HEADS, SYMBOLS, POSITIONS = 16, 4, 11, 8


def gpt():
    blocks = ("block1", "block2")
    norms = [f"{b}/{part}Norm" for b in blocks for part in ("attention", "feedForward")] + ["layerNormalization"]
    shapes = {"embedding/table": [SYMBOLS, WIDTH], "positionalEmbedding/table": [POSITIONS, WIDTH]}
    for block in blocks:
        shapes |= dense(f"{block}/attention/inputs", WIDTH, 3 * WIDTH) | dense(f"{block}/attention/output", WIDTH, WIDTH)
        shapes |= dense(f"{block}/feedForward/inner", WIDTH, 4 * WIDTH) | dense(f"{block}/feedForward/outer", 4 * WIDTH, WIDTH)
    for norm in norms:
        shapes |= {f"{norm}/gamma": [WIDTH], f"{norm}/beta": [WIDTH]}
    shapes |= dense("dense", WIDTH, SYMBOLS)
    future = torch.ones(POSITIONS, POSITIONS, dtype=torch.bool).triu(1)

    def normal(w, name, x):
        return F.layer_norm(x, (WIDTH,), w[f"{name}/gamma"], w[f"{name}/beta"], eps=1e-5)

    def attend(w, name, x):
        q, k, v = (t.unflatten(-1, (HEADS, -1)).transpose(1, 2) for t in linear(w, f"{name}/inputs", x).chunk(3, -1))
        scores = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(future, -math.inf)
        return linear(w, f"{name}/output", (torch.softmax(scores, -1) @ v).transpose(1, 2).flatten(2))

    def loss(w, x, y):
        x = w["embedding/table"][x] + w["positionalEmbedding/table"]
        for block in blocks:
            x = x + attend(w, f"{block}/attention", normal(w, f"{block}/attentionNorm", x))
            inner = F.gelu(linear(w, f"{block}/feedForward/inner", normal(w, f"{block}/feedForwardNorm", x)))
            x = x + linear(w, f"{block}/feedForward/outer", inner)
        logits = linear(w, "dense", normal(w, "layerNormalization", x))
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())

    # With a smaller epsilon the rounding errors of gradients near 0 would decide the step; so also for the LSTM.
    return [POSITIONS], [POSITIONS], SYMBOLS, shapes, loss, lambda p: torch.optim.AdamW(p, lr=0.003, eps=1e-3, weight_decay=0.1)
