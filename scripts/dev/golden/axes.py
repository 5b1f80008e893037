"""Cases of generate.py that rearrange elements."""
import torch
import torch.nn.functional as F


def axes(draws, dense):
    """Concatenation along both axes, permuted axes, a repeated vector, log-softmax; SGD."""
    draw = draws(41)
    data = {"x": draw.normal(5, 3, 4), "y": draw.normal(5, 2, 10, 3)}
    weights = draw.dense("seen", 4, 4) | draw.dense("turned", 3, 4) | draw.dense("summary", 12, 2) | draw.dense("output", 3, 3)

    def loss(w):
        seen = torch.tanh(dense(w, "seen", data["x"]))
        turned = torch.tanh(dense(w, "turned", seen.permute(0, 2, 1)))
        summary = torch.tanh(dense(w, "summary", seen.flatten(1)))
        long = torch.cat([seen, turned, data["x"]], dim=1)
        wide = torch.cat([long, summary[:, None].expand(5, 10, 2)], dim=2)
        cube = wide.unflatten(2, (3, 2)).permute(0, 3, 1, 2)
        return F.mse_loss(F.log_softmax(dense(w, "output", cube), -1), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


CASES = {"axes": axes}
