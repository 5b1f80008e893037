"""Models on images for generate.py. Channels are the last axis in Unisum, and the first one in PyTorch."""
import math

import torch
import torch.nn.functional as F


def draw_conv2d(draw, name, kernel, inputs, filters, bias=True):
    """Weights of a convolution: [height, width, inputs, filters]."""
    weights = {
        f"{name}/kernel": draw.normal(*kernel, inputs, filters, deviation=1 / math.sqrt(math.prod(kernel) * inputs))
    }
    return weights | {f"{name}/bias": draw.normal(filters, deviation=0.1)} if bias else weights


def conv2d(w, name, x, pad=(0, 0, 0, 0), **settings):
    """x [rows, channels, height, width]; pad: left, right, top, bottom."""
    return F.conv2d(F.pad(x, pad), w[f"{name}/kernel"].permute(3, 2, 0, 1), w.get(f"{name}/bias"), **settings)


def images(Draws, dense):
    """conv2d relu, maxPool, conv2d tanh, dense on channels-last images; class numbers; Adam."""
    draw = Draws(7)
    data = {"x": draw.normal(5, 6, 5, 2), "y": draw.classes(5, count=3)}
    weights = draw_conv2d(draw, "conv2d", (3, 3), 2, 4) | draw_conv2d(draw, "conv2d_1", (2, 1), 4, 3) | draw.dense("dense", 12, 3)

    def loss(w):
        h = F.relu(conv2d(w, "conv2d", data["x"].permute(0, 3, 1, 2), pad=(1, 1, 1, 1)))
        h = torch.tanh(conv2d(w, "conv2d_1", F.max_pool2d(h, 2)))
        return F.cross_entropy(dense(w, "dense", h.permute(0, 2, 3, 1).flatten(1)), data["y"])

    return data, weights, loss, lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-7)


def enlarged(Draws, dense):
    """conv2dTranspose tanh twice, a depthwise convolution; plain SGD."""
    draw = Draws(9)
    data = {"x": draw.normal(4, 2, 3, 3), "y": draw.normal(4, 2)}
    # 2 x 3 -> 4 x 6 -> 12 x 8 -> 6 x 7, the last one with two results for each of two channels.
    weights = {
        "conv2dTranspose/kernel": draw.normal(3, 3, 2, 3, deviation=0.2),
        "conv2dTranspose/bias": draw.normal(2, deviation=0.1),
        "conv2dTranspose_1/kernel": draw.normal(2, 3, 2, 2, deviation=0.3),
        "conv2dTranspose_1/bias": draw.normal(2, deviation=0.1),
    } | draw_conv2d(draw, "conv2d", (2, 2), 1, 4) | draw.dense("dense", 6 * 7 * 4, 2)

    def enlarge(w, name, x, strides, padding=0):
        # In PyTorch kernels are [inputs, filters, height, width].
        return F.conv_transpose2d(x, w[f"{name}/kernel"].permute(3, 2, 0, 1), w[f"{name}/bias"], strides, padding)

    def loss(w):
        # The total padding is 3 - 2 = 1, the larger half of it at the end: the last row and column are removed.
        h = torch.tanh(enlarge(w, "conv2dTranspose", data["x"].permute(0, 3, 1, 2), 2)[:, :, :4, :6])
        # Three rows for each input row, of which the kernel covers two: the last row is only the bias.
        h = enlarge(w, "conv2dTranspose_1", h, (3, 1))
        last = w["conv2dTranspose_1/bias"].view(1, 2, 1, 1).expand(4, 2, 1, 8)
        h = conv2d(w, "conv2d", torch.tanh(torch.cat([h, last], dim=2)), stride=(2, 1), groups=2)
        return F.mse_loss(dense(w, "dense", h.permute(0, 2, 3, 1).flatten(1)), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


def strided(Draws, dense):
    """Strides, groups, dilation, pools that overlap and extend over the border, global pools; plain SGD."""
    draw = Draws(8)
    data = {"x": draw.normal(4, 7, 6, 4), "y": draw.normal(4, 2)}
    weights = draw_conv2d(draw, "conv2d", (3, 3), 2, 6) | draw_conv2d(draw, "conv2d_1", (2, 3), 6, 6, bias=False)
    weights |= {"dense/kernel": draw.normal(6, 2, deviation=0.1), "dense/bias": draw.normal(2, deviation=0.1)}

    def loss(w):
        # 7 x 6 -> 4 x 6; the dilated window is 3 x 3.
        h = conv2d(w, "conv2d", data["x"].permute(0, 3, 1, 2), pad=(1, 1, 1, 1), stride=(2, 1), groups=2)
        h = conv2d(w, "conv2d_1", torch.tanh(h), pad=(1, 1, 1, 1), dilation=(2, 1))
        # Rows: 4 -> 2, one below; columns: 6 -> 6 with one on the right, 6 -> 3 with one on the right.
        share = F.avg_pool2d(F.pad(torch.ones_like(h), (0, 1, 0, 1)), (3, 2), (2, 1))
        smooth = F.avg_pool2d(F.pad(h, (0, 1, 0, 1)), (3, 2), (2, 1)) / share
        sharp = F.max_pool2d(F.pad(h, (0, 1, 0, 1), value=-math.inf), 3, 2)
        return F.mse_loss(dense(w, "dense", smooth.mean((2, 3)) + sharp.amax((2, 3))), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


def draw_conv3d(draw, name, kernel, inputs, filters, bias=True):
    """Weights of a convolution of volumes: [height, width, depth, inputs, filters]."""
    depth, height, width = kernel
    deviation = 1 / math.sqrt(math.prod(kernel) * inputs)
    weights = {f"{name}/kernel": draw.normal(height, width, depth, inputs, filters, deviation=deviation)}
    return weights | {f"{name}/bias": draw.normal(filters, deviation=0.1)} if bias else weights


def conv3d(w, name, x, pad=(0, 0, 0, 0, 0, 0), **settings):
    """x [rows, channels, depth, height, width]; pad: left, right, top, bottom, front, back."""
    return F.conv3d(F.pad(x, pad), w[f"{name}/kernel"].permute(4, 3, 2, 0, 1), w.get(f"{name}/bias"), **settings)


def volumes(Draws, dense):
    """conv3d tanh with strides, averagePooling3d over the border, conv3d with dilation, dense; plain SGD."""
    draw = Draws(71)
    data = {"x": draw.normal(4, 5, 4, 6, 1), "y": draw.normal(4, 2)}
    # 5 x 4 x 6 -> 3 x 4 x 3 -> 3 x 2 x 3 -> 1 x 1 x 3
    weights = draw_conv3d(draw, "conv3d", (3, 2, 3), 1, 3) | draw_conv3d(draw, "conv3d_1", (2, 2, 1), 3, 4, bias=False)
    weights |= draw.dense("dense", 12, 2)

    def loss(w):
        x = data["x"].permute(0, 4, 1, 2, 3)
        h = torch.tanh(conv3d(w, "conv3d", x, pad=(0, 1, 0, 1, 1, 1), stride=(2, 1, 2)))
        # What lies outside does not count: sums of windows, divided by the sums of ones.
        around = (0, 1, 0, 1, 0, 1)
        sums = F.avg_pool3d(F.pad(h, around), (2, 3, 2), stride=(1, 2, 1))
        counts = F.avg_pool3d(F.pad(torch.ones_like(h), around), (2, 3, 2), stride=(1, 2, 1))
        h = conv3d(w, "conv3d_1", sums / counts, dilation=(2, 1, 1))
        return F.mse_loss(dense(w, "dense", h.permute(0, 2, 3, 4, 1).flatten(1)), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.1)


def volumes_stride_1(Draws, dense):
    """Two convolutions of volumes, the largest elements of windows, global pooling; plain SGD."""
    draw = Draws(72)
    data = {"x": draw.normal(4, 4, 5, 4, 2), "y": draw.normal(4, 2)}
    weights = draw_conv3d(draw, "conv3d", (2, 1, 3), 2, 2) | draw_conv3d(draw, "conv3d_1", (3, 3, 3), 2, 3)
    weights |= draw.dense("dense", 3, 2)

    def loss(w):
        h = conv3d(w, "conv3d", data["x"].permute(0, 4, 1, 2, 3))
        h = F.relu(conv3d(w, "conv3d_1", h, pad=(1, 1, 1, 1, 1, 1)))
        joined = F.max_pool3d(h, (2, 2, 1)).amax((2, 3, 4)) + h.mean((2, 3, 4))
        return F.mse_loss(dense(w, "dense", joined), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.05)


def volumes_groups(Draws, dense):
    """Two convolutions of volumes in groups, the first with padding, strides and several depths; plain SGD."""
    draw = Draws(73)
    data = {"x": draw.normal(4, 4, 3, 4, 4), "y": draw.normal(4, 2)}
    # 4 x 3 x 4 -> 4 x 3 x 2 -> 3 x 2 x 2
    weights = draw_conv3d(draw, "conv3d", (3, 2, 2), 2, 6) | draw_conv3d(draw, "conv3d_1", (2, 2, 1), 2, 3)
    weights |= draw.dense("dense", 36, 2)

    def loss(w):
        x = data["x"].permute(0, 4, 1, 2, 3)
        h = torch.tanh(conv3d(w, "conv3d", x, pad=(0, 0, 0, 1, 1, 1), stride=(1, 1, 2), groups=2))
        h = conv3d(w, "conv3d_1", h, groups=3)
        return F.mse_loss(dense(w, "dense", h.permute(0, 2, 3, 4, 1).flatten(1)), data["y"])

    return data, weights, loss, lambda p: torch.optim.SGD(p, lr=0.02)


CASES = {
    "images": images, "enlarged": enlarged, "strided": strided,
    "volumes": volumes, "volumes-stride-1": volumes_stride_1, "volumes-groups": volumes_groups,
}
