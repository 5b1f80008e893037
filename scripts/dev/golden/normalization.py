"""Cases of generate.py with batch normalisation: that of PyTorch, group by group, and moving averages."""
import torch
import torch.nn.functional as F

from images import conv2d, draw_conv2d

AVERAGES = ("movingMean", "movingVariance")


class Averaging:
    """An optimizer that also moves the moving averages towards their 'gradient', the statistics of the batch."""

    def __init__(self, optimizer, averages):
        self.optimizer, self.averages = optimizer, averages

    def zero_grad(self):
        self.optimizer.zero_grad()
        for average, _ in self.averages:
            average.grad = None

    def step(self):
        self.optimizer.step()
        for average, momentum in self.averages:
            average.data.lerp_(average.grad, 1 - momentum)


def draw_norm(draw, name, channels):
    return {
        f"{name}/gamma": 1 + draw.normal(channels, deviation=0.2),
        f"{name}/beta": draw.normal(channels, deviation=0.2),
        f"{name}/movingMean": draw.normal(channels, deviation=0.2),
        f"{name}/movingVariance": 1 + draw.normal(channels, deviation=0.1).abs(),
    }


def batch_norm(w, name, x, group, eps):
    """x [rows, channels, ...] in groups of rows. Returns y, and a zero whose gradients are the means over the batch."""
    parts, means = [], {key: 0 for key in AVERAGES}
    for part in x.split(group):
        mean, variance = torch.zeros(x.shape[1]), torch.zeros(x.shape[1])
        # With momentum 1 the running statistics are those of this group; the variance of PyTorch is the unbiased one.
        parts.append(F.batch_norm(part, mean, variance, w[f"{name}/gamma"], w[f"{name}/beta"], True, 1.0, eps))
        n = part.numel() / part.shape[1]
        share = part.shape[0] / x.shape[0]
        means["movingMean"] = means["movingMean"] + share * mean
        means["movingVariance"] = means["movingVariance"] + share * variance * (n - 1) / n
    statistics = sum((w[f"{name}/{key}"] * means[key].detach()).sum() for key in AVERAGES)
    return torch.cat(parts), statistics - statistics.detach()


def optimizer_of(weights, momenta, make):
    """Called with the trained tensors in the order of `weights`."""
    def optimizer(tensors):
        named = dict(zip(weights, tensors))
        averages = [(t, momenta[name.split("/")[0]]) for name, t in named.items() if name.split("/")[1] in AVERAGES]
        trained = [t for name, t in named.items() if name.split("/")[1] not in AVERAGES]
        return Averaging(make(trained), averages)
    return optimizer


def features(draws, dense):
    """Batch normalisation of the input in groups of twelve of twenty samples, and in groups of six after a dense layer; class numbers; SGD."""
    draw = draws(51)
    data = {"x": 2 + 3 * draw.normal(20, 4), "y": draw.classes(20, count=3)}
    data["x"] = data["x"].to(torch.float32).to(torch.float64)
    hidden = draw.dense("dense", 4, 5)
    del hidden["dense/bias"]
    weights = draw_norm(draw, "input", 4) | hidden | draw_norm(draw, "hidden", 5) | draw.dense("dense_1", 5, 3)

    def loss(w):
        x, zero = batch_norm(w, "input", data["x"], 12, 1e-3)
        h, zero_hidden = batch_norm(w, "hidden", x @ w["dense/kernel"], 6, 1e-3)
        return F.cross_entropy(dense(w, "dense_1", torch.tanh(h)), data["y"]) + zero + zero_hidden

    momenta = {"input": 0.99, "hidden": 0.5}
    return data, weights, loss, optimizer_of(weights, momenta, lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9))


def on_images(draws, dense):
    """Batch normalisation of images in groups of twelve of twenty samples; a convolution, pooling, dense; SGD."""
    draw = draws(52)
    data = {"x": draw.normal(20, 4, 6, 2), "y": draw.normal(20, 2)}
    weights = draw_conv2d(draw, "conv2d", (3, 3), 2, 5, bias=False) | draw_norm(draw, "batchNormalization", 5)
    weights |= draw.dense("dense", 30, 2)

    def loss(w):
        h = conv2d(w, "conv2d", data["x"].permute(0, 3, 1, 2), pad=(1, 1, 1, 1))
        h, zero = batch_norm(w, "batchNormalization", h, 12, 1e-5)
        h = F.avg_pool2d(torch.tanh(h), 2)
        return F.mse_loss(dense(w, "dense", h.permute(0, 2, 3, 1).flatten(1)), data["y"]) + zero

    momenta = {"batchNormalization": 0.99}
    return data, weights, loss, optimizer_of(weights, momenta, lambda p: torch.optim.SGD(p, lr=0.1))


CASES = {"batch-norm": features, "batch-norm-images": on_images}
