"""Cases of generate.py: single-shot detection."""
import torch
import torch.nn.functional as F


def detection(Draws, dense):
    """Single-shot detection: three cells, three classes, some without an object."""
    draw = Draws(11)
    x = draw.normal(5, 3, 4)
    objects = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 1]]).unsqueeze(2).to(torch.float64)
    boxes = draw.normal(5, 3, 4) * objects
    classes = F.one_hot(draw.classes(5, 3, count=3), 3) * objects
    data = {"x": x, "y": torch.cat([objects, boxes, classes], 2)}
    weights = draw.dense("dense", 4, 6) | draw.dense("dense_1", 6, 8)

    def loss(w):
        outputs = dense(w, "dense_1", torch.tanh(dense(w, "dense", x)))
        has_object = objects.squeeze(2) > 0
        total = F.binary_cross_entropy_with_logits(outputs[..., :1], objects, reduction="sum")
        box = F.huber_loss(outputs[..., 1:5][has_object], boxes[has_object], delta=0.5, reduction="sum") / 4
        kind = F.cross_entropy(outputs[..., 5:][has_object], classes[has_object].argmax(1), reduction="sum")
        return (total + 5 * box + kind) / 15

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


CASES = {"detection": detection}
