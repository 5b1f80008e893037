"""The workloads of scripts/bench/workloads.ts in PyTorch: same shapes, batch, loss and optimizer."""
import torch
from torch import nn

SYMBOLS = 65
BATCHES_KEPT = 16


def dense_stack(*widths):
    """Dense layers with a ReLU between them."""
    stack = nn.Sequential()
    for index in range(len(widths) - 1):
        if index > 0:
            stack.append(nn.ReLU())
        stack.append(nn.Linear(widths[index], widths[index + 1]))
    return stack


def convolutional():
    """32 and 64 feature maps of 3x3, each halved by pooling, then 128 units and ten classes."""
    def halve():
        return [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), *halve(), nn.Conv2d(32, 64, 3, padding=1), *halve(),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10))


class SmallGpt(nn.Module):
    """Four pre-norm blocks with causal attention over 64 positions."""

    def __init__(self, width=128, blocks=4, heads=4, context=64):
        super().__init__()
        self.symbols = nn.Embedding(SYMBOLS, width)
        self.positions = nn.Parameter(torch.randn(context, width) * 0.02)
        block = nn.TransformerEncoderLayer(width, heads, dim_feedforward=4 * width, dropout=0.0,
                                           activation="gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, blocks, norm=nn.LayerNorm(width))
        self.logits = nn.Linear(width, SYMBOLS)
        future = torch.ones(context, context).triu(1).bool()
        self.register_buffer("future", torch.zeros(context, context).masked_fill(future, float("-inf")))

    def forward(self, text):
        hidden = self.blocks(self.symbols(text) + self.positions, mask=self.future)
        return self.logits(hidden).view(-1, SYMBOLS)


class Recurrent(nn.Module):
    """One LSTM of 128 units that predicts a symbol at each of 64 steps."""

    def __init__(self, features=64, units=128):
        super().__init__()
        self.memory = nn.LSTM(features, units, batch_first=True)
        self.logits = nn.Linear(units, SYMBOLS)

    def forward(self, sequence):
        hidden, _ = self.memory(sequence)
        return self.logits(hidden).view(-1, SYMBOLS)


def digits(rows):
    return torch.randint(10, (rows,))


def symbols(rows):
    return torch.randint(SYMBOLS, (rows * 64,))


# name: model, a batch of inputs, a batch of labels, optimizer
WORKLOADS = {
    "mlp10": (lambda: dense_stack(784, 10, 10), lambda rows: torch.rand(rows, 784), digits, torch.optim.Adam),
    "mlp512": (lambda: dense_stack(784, 512, 512, 10), lambda rows: torch.rand(rows, 784), digits,
               torch.optim.Adam),
    "cnn": (convolutional, lambda rows: torch.rand(rows, 1, 28, 28), digits, torch.optim.Adam),
    "gpt": (SmallGpt, lambda rows: torch.randint(SYMBOLS, (rows, 64)), symbols, torch.optim.AdamW),
    "lstm": (Recurrent, lambda rows: torch.rand(rows, 64, 64), symbols, torch.optim.Adam),
}


class Trainer:
    """A model that trains on several batches in turn, so that it cannot memorise one."""

    def __init__(self, workload, rows, wrap=lambda model: model):
        build, inputs, labels, optimizer = WORKLOADS[workload]
        model = build()
        self.model = wrap(model)
        self.batches = [(inputs(rows), labels(rows)) for _ in range(BATCHES_KEPT)]
        self.optimizer = optimizer(model.parameters(), lr=0.001)
        self.loss = nn.CrossEntropyLoss()
        self.steps = 0

    def step(self):
        inputs, labels = self.batches[self.steps % BATCHES_KEPT]
        self.steps += 1
        self.optimizer.zero_grad()
        self.loss(self.model(inputs), labels).backward()
        self.optimizer.step()
