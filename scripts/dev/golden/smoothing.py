"""Cases of generate.py: label smoothing and ignored labels."""
import torch
import torch.nn.functional as F


def ignored(Draws, dense):
    """Class numbers at each of three positions, smoothed by 0.1; class 2 is ignored, but counts in the divisor of the mean."""
    draw = Draws(31)
    data = {"x": draw.normal(5, 3, 4), "y": draw.classes(5, 3, count=4)}
    weights = draw.dense("dense", 4, 6) | draw.dense("dense_1", 6, 4)

    def loss(w):
        logits = dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"]))).flatten(0, 1)
        labels = data["y"].flatten()
        return F.cross_entropy(logits, labels, label_smoothing=0.1, ignore_index=2, reduction="sum") / 15

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.3)


def soft(Draws, dense):
    """Targets that are probabilities, smoothed by 0.2."""
    draw = Draws(32)
    targets = torch.softmax(draw.normal(5, 3), dim=1).to(torch.float32).to(torch.float64)
    data = {"x": draw.normal(5, 4), "y": targets}
    weights = draw.dense("dense", 4, 6) | draw.dense("dense_1", 6, 3)

    def loss(w):
        logits = dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"])))
        return F.cross_entropy(logits, data["y"], label_smoothing=0.2)

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.2)


def probabilities(Draws, dense):
    """Class numbers, smoothed by 0.3, and probabilities that are not the output of a softmax."""
    draw = Draws(33)
    data = {"x": draw.normal(5, 3), "y": draw.classes(5, count=4)}
    weights = draw.dense("dense", 3, 4) | draw.dense("dense_1", 3, 4)

    def loss(w):
        p = torch.softmax(dense(w, "dense", data["x"]), 1) * torch.softmax(dense(w, "dense_1", data["x"]), 1)
        targets = F.one_hot(data["y"], 4) * 0.7 + 0.3 / 4
        return -(targets * torch.log(p)).sum(1).mean()

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


def binary(Draws, dense):
    """Binary targets, smoothed by 0.2."""
    draw = Draws(34)
    data = {"x": draw.normal(6, 3), "y": draw.classes(6, 4, count=2).to(torch.float64)}
    weights = draw.dense("dense", 3, 5) | draw.dense("dense_1", 5, 4)

    def loss(w):
        logits = dense(w, "dense_1", torch.tanh(dense(w, "dense", data["x"])))
        return F.binary_cross_entropy_with_logits(logits, data["y"] * 0.8 + 0.1)

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


CASES = {
    "smoothed-ignored": ignored,
    "smoothed-soft": soft,
    "smoothed-probabilities": probabilities,
    "smoothed-binary": binary,
}
