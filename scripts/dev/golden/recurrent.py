"""Recurrent models for generate.py: the layers of PyTorch, with weights in the layout of this project.

The gates i, f, g, o of an LSTM have the same order; the gates r, z, n of a GRU are z, r, n here. PyTorch has transposed
weights, and two biases, of which an LSTM needs only one.
"""
import torch
import torch.nn.functional as F

# The function of PyTorch, and the number of gates of a unit.
KINDS = {"lstm": (torch.lstm, 4), "gru": (torch.gru, 3), "simpleRnn": (torch.rnn_tanh, 1)}


def weights_of(draw, kind, name, features, units):
    """Weights of a layer, drawn like those of a dense layer."""
    width = KINDS[kind][1] * units
    weights = {
        f"{name}/kernel": draw.normal(features, width, deviation=features**-0.5),
        f"{name}/recurrentKernel": draw.normal(units, width, deviation=units**-0.5),
        f"{name}/bias": draw.normal(width, deviation=0.1),
    }
    if kind == "gru":
        weights[f"{name}/recurrentBias"] = draw.normal(width, deviation=0.1)
    return weights


def parameters_of(kind, w, name):
    """The weights of a layer in the layout of PyTorch: both kernels, both biases."""
    kernel, recurrent, bias = w[f"{name}/kernel"], w[f"{name}/recurrentKernel"], w[f"{name}/bias"]
    second = w.get(f"{name}/recurrentBias", torch.zeros_like(bias))
    units = recurrent.shape[0]
    order = [1, 0, 2] if kind == "gru" else list(range(KINDS[kind][1]))

    def ordered(t):
        return torch.cat([t[..., gate * units:(gate + 1) * units] for gate in order], dim=-1).t()

    return [ordered(t) for t in (kernel, recurrent, bias, second)]


def layer(kind, w, name, x, reverse=False):
    """The output of a layer at each step; `reverse`: from the end, each output at the position of its input."""
    function = KINDS[kind][0]
    zeros = torch.zeros(1, x.shape[0], w[f"{name}/recurrentKernel"].shape[0])
    state = (zeros, zeros) if kind == "lstm" else zeros
    parameters = parameters_of(kind, w, name)
    has_biases, layers, dropout, training, both_ways, batch_first = True, 1, 0.0, True, False, True
    output = function(x.flip(1) if reverse else x, state, parameters, has_biases, layers, dropout, training,
                      both_ways, batch_first)[0]
    return output.flip(1) if reverse else output


# The functions of PyTorch for a single step.
CELLS = {"lstm": torch.lstm_cell, "gru": torch.gru_cell, "simpleRnn": torch.rnn_tanh_cell}


def run_steps(kind, w, name, x, mask=None, state=None, reverse=False):
    """A layer step by step: outputs and the last state, (h,) or (h, c). Where `mask` is 0, the state does not change."""
    units = w[f"{name}/recurrentKernel"].shape[0]
    parameters = parameters_of(kind, w, name)
    count = 2 if kind == "lstm" else 1
    state = state or [torch.zeros(x.shape[0], units)] * count
    outputs = [None] * x.shape[1]
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        after = CELLS[kind](x[:, t], state if count == 2 else state[0], *parameters)
        after = after if count == 2 else [after]
        if mask is not None:
            after = [torch.where(mask[:, t, None] != 0, new, old) for new, old in zip(after, state)]
        state = after
        outputs[t] = state[0]
    return torch.stack(outputs, 1), state


def stack(kind):
    def case(draws, dense):
        draw = draws(20 + len(kind))
        data = {"x": draw.normal(6, 4, 3), "y": draw.classes(6, count=3)}
        weights = (weights_of(draw, kind, kind, 3, 5) | weights_of(draw, kind, f"{kind}_1", 5, 4)
                   | draw.dense("dense", 4, 3))

        def loss(w):
            hidden = layer(kind, w, f"{kind}_1", layer(kind, w, kind, data["x"]))[:, -1]
            return F.cross_entropy(dense(w, "dense", hidden), data["y"])

        return data, weights, loss, lambda p: torch.optim.Adam(p, lr=0.02, eps=1e-7)

    case.__doc__ = f"Two {kind} layers, the first with an output at each step, the second at the end; dense; class numbers; Adam."
    return case


def both_ways(draws, dense):
    """Plain recurrent layers in both directions, and one that is used twice; SGD with momentum."""
    draw = draws(31)
    data = {"x": draw.normal(5, 4, 3), "y": draw.normal(5, 4, 2)}
    weights = draw.dense("dense", 4, 2)
    for name, features in (("there", 3), ("back", 3), ("twice", 4)):
        weights |= weights_of(draw, "simpleRnn", name, features, 4)

    def loss(w):
        joined = layer("simpleRnn", w, "there", data["x"]) + layer("simpleRnn", w, "back", data["x"], reverse=True)
        for _ in range(2):
            joined = layer("simpleRnn", w, "twice", joined)
        return F.mse_loss(dense(w, "dense", joined), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)


def reverse(draws, dense):
    """An LSTM and a GRU from the end of the sequence; plain SGD."""
    draw = draws(32)
    data = {"x": draw.normal(5, 3, 2), "y": draw.normal(5, 2)}
    weights = (weights_of(draw, "lstm", "lstm", 2, 3) | weights_of(draw, "gru", "gru", 2, 3)
               | draw.dense("dense", 3, 2))

    def loss(w):
        first = [layer(kind, w, kind, data["x"], reverse=True)[:, 0] for kind in ("lstm", "gru")]
        return F.mse_loss(dense(w, "dense", first[0] + first[1]), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


def states(draws, dense):
    """Masks, initial states and returned states, for all cells and both directions; plain SGD."""
    draw = draws(33)
    data = {"x": draw.normal(6, 4, 3), "y": draw.normal(6, 2)}
    weights = draw.dense("dense", 3, 2)
    kinds = {"there": "lstm", "back": "lstm", "decoder": "lstm", "tail": "lstm", "gru": "gru", "plain": "simpleRnn"}
    for name, kind in kinds.items():
        weights |= weights_of(draw, kind, name, 3, 3)

    def loss(w):
        x = data["x"]
        mask = F.relu(x[:, :, 0])
        there, (h_there, c_there) = run_steps("lstm", w, "there", x, mask)
        back, (h_back, c_back) = run_steps("lstm", w, "back", x, mask, reverse=True)
        both = there + back
        decoded, _ = run_steps("lstm", w, "decoder", both, state=(h_there + h_back, c_there + c_back))
        _, (h_gru,) = run_steps("gru", w, "gru", decoded, mask, [h_there])
        plain, (h_plain,) = run_steps("simpleRnn", w, "plain", both, mask, [h_back], reverse=True)
        _, (h_tail, c_tail) = run_steps("lstm", w, "tail", plain, mask, (h_gru, c_back))
        return F.mse_loss(dense(w, "dense", h_gru + h_plain + h_tail + c_tail), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


CASES = {"recurrent-states": states, "lstm": stack("lstm"), "gru": stack("gru"), "simple-rnn": both_ways, "reverse": reverse}
