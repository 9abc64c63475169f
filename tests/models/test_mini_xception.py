"""mini-Xception: its layers against the definitions of Keras, and files of the published form."""

from itertools import pairwise

import h5py
import numpy as np
import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.mini_xception import MiniXception, pool_same
from affectkit.models.normalisation import normalise
from affectkit.models.pretrained import read_weights

BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def write_keras(path, seed=0):
    """A file with the layers of the published one, with random weights; returns the arrays."""
    rng = np.random.default_rng(seed)
    layers = {"conv2d_1": {"kernel": (3, 3, 1, 8)}, "conv2d_2": {"kernel": (3, 3, 8, 8)}}
    widths, norms = (8, 16, 32, 64, 128), {1: 8, 2: 8}
    for block, (low, high) in enumerate(pairwise(widths)):
        for number, width in ((1, low), (2, high)):
            layers[f"separable_conv2d_{2 * block + number}"] = {
                "depthwise_kernel": (3, 3, width, 1), "pointwise_kernel": (1, 1, width, high)
            }  # fmt: skip
        layers[f"conv2d_{block + 3}"] = {"kernel": (1, 1, low, high)}
        norms |= dict.fromkeys(range(3 * block + 3, 3 * block + 6), high)
    layers["conv2d_7"] = {"kernel": (3, 3, 128, 7), "bias": (7,)}
    for number, width in norms.items():
        layers[f"batch_normalization_{number}"] = dict.fromkeys(BATCH_NORM, (width,))
    arrays = {}
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in layers]
        for name, shapes in layers.items():
            group = root.create_group(name)
            keys = [f"{name}_1/{key}:0" for key in shapes]
            group.attrs["weight_names"] = [key.encode() for key in keys]
            for key, shape in zip(keys, shapes.values(), strict=True):
                arrays[key] = rng.normal(0.5, 0.1, shape).astype("f4")
                group[key] = arrays[key]
    return arrays


def test_the_published_layers_load_with_and_without_the_classifier(tmp_path):
    path = tmp_path / "net.hdf5"
    arrays = write_keras(path)
    net, width, normalisation = build_backbone("mini_xception_expressions", weights=path, size=64)
    assert (width, normalisation.size) == (7, 64)
    kernel = arrays["separable_conv2d_1_1/depthwise_kernel:0"][..., 0].transpose(2, 0, 1)
    assert np.array_equal(net.blocks[0].first[0].weight[:, 0].detach(), kernel)
    third = arrays["batch_normalization_14_1/moving_mean:0"]
    assert np.array_equal(net.blocks[3].second[2].running_mean, third)
    _, width, _ = build_backbone("mini_xception", weights=path, size=64)
    assert width == 128
    assert sum(p.numel() for p in net.parameters()) == 56_951  # the count of Keras, trainable


def test_a_separable_convolution_equals_keras_definition(tmp_path):
    path = tmp_path / "net.hdf5"
    arrays = write_keras(path)
    net, _, _ = build_backbone("mini_xception_expressions", weights=path, size=64)
    maps = np.random.default_rng(1).normal(size=(5, 6, 8))
    depth = arrays["separable_conv2d_1_1/depthwise_kernel:0"]
    point = arrays["separable_conv2d_1_1/pointwise_kernel:0"]
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    expected = np.zeros((5, 6, 16))
    for row in range(5):
        for col in range(6):
            window = padded[row : row + 3, col : col + 3]
            expected[row, col] = (window * depth[..., 0]).sum((0, 1)) @ point[0, 0]
    layer = net.blocks[0].first
    found = layer[1](layer[0](torch.tensor(maps.transpose(2, 0, 1)[None], dtype=torch.float32)))
    np.testing.assert_allclose(found[0].detach().numpy().transpose(1, 2, 0), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("side", "expected"),
    [(4, [2, 3]), (5, [1, 3, 4])],  # by TensorFlow's rule: pad (0, 1), and pad (1, 1)
)
def test_pooling_pads_like_tensorflow(side, expected):
    row = torch.arange(side, dtype=torch.float32).expand(1, 1, side, side)
    assert pool_same(row)[0, 0, 0].tolist() == expected


def test_grey_pictures_and_probabilities():
    net = MiniXception(probabilities=True).eval()
    _, _, normalisation = build_backbone("mini_xception", size=64)
    face = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    image = normalise(face, normalisation)
    torch.testing.assert_close(image.amax(), face.float().amax() / 127.5 - 1)
    grey = (face.float() @ torch.tensor([0.299, 0.587, 0.114]) / 127.5 - 1)[:, None]
    with torch.no_grad():
        probabilities = net(image)
        torch.testing.assert_close(probabilities, net(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2))


def test_weights_of_another_keras_net_are_refused(tmp_path):
    path = tmp_path / "net.hdf5"
    write_keras(path)
    with h5py.File(path, "r+") as file:
        names = list(file["model_weights"].attrs["layer_names"])
        file["model_weights"].attrs["layer_names"] = np.array(
            [*names[:-1], "block1_conv1"], dtype="S"
        )
        file["model_weights"]["block1_conv1"] = file["model_weights"]["conv2d_1"]
    with pytest.raises(AffectkitError, match=r"is not mini-Xception.*block1_conv1"):
        build_backbone("mini_xception", weights=path, size=64)
    assert read_weights(path).channel_order == "BGR"


def test_a_training_step_in_channels_last_memory_survives():
    """torch 2.14 crashed on a CPU in the backward pass of a 1 x 1 convolution with stride 2."""
    net = MiniXception(probabilities=False).to(memory_format=torch.channels_last)
    for _ in range(3):
        net(torch.rand(8, 64, 64, 3).permute(0, 3, 1, 2)).sum().backward()
    assert net.blocks[0].shortcut[0].weight.grad.isfinite().all()
