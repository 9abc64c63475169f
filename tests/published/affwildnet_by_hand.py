"""Variables of the networks of Kollias et al., and the networks computed from them in float64."""

import numpy as np

from tests.models.tensorflow_files import convolve, gru_by_hand, pool_same

VGG_BLOCKS = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
RESNET_BLOCKS = ((3, 64), (4, 128), (6, 256), (3, 512))
HIDDEN = 128
CELL = "rnn/multi_rnn_cell/cell_{}/gru_cell"


def normal(random, *shape, std):
    return random.standard_normal(shape, dtype=np.float32) * np.float32(std)


def make_vgg(random):
    variables, width_in = {}, 3
    for number, width in enumerate(sum(VGG_BLOCKS, ()), start=1):
        scope, std = f"conv_{number}", (2 / 9 / width_in) ** 0.5
        variables[f"{scope}/weights"] = normal(random, 3, 3, width_in, width, std=std)
        variables[f"{scope}/biases"] = normal(random, width, std=0.1)
        width_in = width
    return variables


def make_dense(random, scope, width_in, width):
    return {
        f"{scope}/weights": normal(random, width_in, width, std=(1 / width_in) ** 0.5),
        f"{scope}/biases": normal(random, width, std=0.1),
    }


def make_gru(random, scope, output, width):
    variables = {}
    for number in range(2):
        for gate, count in (("gates", 2), ("candidate", 1)):
            name = f"{scope}/{CELL.format(number)}/{gate}"
            shape = (width + HIDDEN, count * HIDDEN)
            variables[f"{name}/kernel"] = normal(random, *shape, std=0.05)
            variables[f"{name}/bias"] = normal(random, shape[1], std=0.3)
        width = HIDDEN
    variables[f"{scope}/weights_{output}"] = normal(random, HIDDEN, 2, std=0.05)
    variables[f"{scope}/biases_{output}"] = normal(random, 2, std=0.1)
    return variables


def make_resnet(random):
    variables = {}

    def add(scope, side, width_in, width):
        std = (2 / side / side / width_in) ** 0.5
        variables[f"{scope}/weights"] = normal(random, side, side, width_in, width, std=std)
        for name in ("gamma", "moving_variance"):
            values = random.uniform(0.5, 1, width).astype(np.float32)
            variables[f"{scope}/BatchNorm/{name}"] = values
        for name in ("beta", "moving_mean"):
            variables[f"{scope}/BatchNorm/{name}"] = normal(random, width, std=0.1)

    add("resnet_v1_50/conv1", 7, 3, 64)
    width_in = 64
    for block, (units, width) in enumerate(RESNET_BLOCKS, start=1):
        for unit in range(1, units + 1):
            scope = f"resnet_v1_50/block{block}/unit_{unit}/bottleneck_v1"
            if unit == 1:
                add(f"{scope}/shortcut", 1, width_in, 4 * width)
            add(f"{scope}/conv1", 1, width_in, width)
            add(f"{scope}/conv2", 3, width, width)
            add(f"{scope}/conv3", 1, width, 4 * width)
            width_in = 4 * width
    return variables


def vgg_by_hand(variables, pixels):
    """The flattened last pooling of one picture (row, column, RGB)."""
    maps, number = (pixels - 128.0) / 128, 0
    for block in VGG_BLOCKS:
        for _ in block:
            number += 1
            kernel, bias = (variables[f"conv_{number}/{name}"] for name in ("weights", "biases"))
            maps = np.maximum(convolve(maps, kernel.astype(float)) + bias, 0)
        maps = pool_same(maps, 2, 2)
    return maps.ravel()  # (row, column, channel)


def resnet_by_hand(variables, pixels):
    """The mean of the last maps of one picture (row, column, RGB)."""

    def layer(maps, scope, stride=1):
        kernel = variables[f"{scope}/weights"].astype(float)
        # `conv2d_same` with a stride: a convolution with a stride of 1, every second row and column
        maps = convolve(maps, kernel)[::stride, ::stride]
        gamma, beta, mean, variance = (
            variables[f"{scope}/BatchNorm/{name}"].astype(float)
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (maps - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    maps = np.maximum(layer((pixels - 128.0) / 128, "resnet_v1_50/conv1", 2), 0)
    maps = pool_same(maps, 3, 2)
    for block, (units, _) in enumerate(RESNET_BLOCKS, start=1):
        for unit in range(1, units + 1):
            scope = f"resnet_v1_50/block{block}/unit_{unit}/bottleneck_v1"
            stride = 2 if unit == units and block < len(RESNET_BLOCKS) else 1
            shortcut = layer(maps, f"{scope}/shortcut") if unit == 1 else maps[::stride, ::stride]
            maps = np.maximum(layer(maps, f"{scope}/conv1"), 0)
            maps = np.maximum(layer(maps, f"{scope}/conv2", stride), 0)
            maps = np.maximum(layer(maps, f"{scope}/conv3") + shortcut, 0)
    return maps.mean((0, 1))


def dense_by_hand(variables, scope, features):
    return features @ variables[f"{scope}/weights"].astype(float) + variables[f"{scope}/biases"]


def output_by_hand(variables, scope, output, features):
    """Valence and arousal (frame, 2) of both GRU layers and the output layer."""
    cells = [
        {
            f"{gate}/{part}": variables[f"{scope}/{CELL.format(number)}/{gate}/{part}"].astype(
                float
            )
            for gate in ("gates", "candidate")
            for part in ("kernel", "bias")
        }
        for number in range(2)
    ]
    states = gru_by_hand(features, cells)
    weights = variables[f"{scope}/weights_{output}"].astype(float)
    return states @ weights + variables[f"{scope}/biases_{output}"]
