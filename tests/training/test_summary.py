"""A recipe's network in numbers that are derived by hand, without a weight allocated."""

from functools import cache

import pytest
import timm
import torch
from torch import nn

from affectkit.models.backbones import BACKBONES
from affectkit.training.checkpoint import build_model
from affectkit.training.learner import freeze
from affectkit.training.recipe import read_recipe, shipped_recipes
from affectkit.training.summary import (
    activations,
    empty_network,
    estimate_memory,
    list_layers,
    windows_at_once,
)

# channels of VGG's convolutions before (in) and after (out), and the side of their output, which a
# pooling halves: 96 pixels end in 3
VGG = [(3, 64, 96), (64, 64, 96), (64, 128, 48), (128, 128, 48), (128, 256, 24), (256, 256, 24),
       (256, 256, 24), (256, 512, 12), (512, 512, 12), (512, 512, 12), (512, 512, 6),
       (512, 512, 6), (512, 512, 6)]  # fmt: skip
VGG_WEIGHTS = 14_714_688  # 138,357,544 of VGG-16 as published, less 123,642,856 of its three FC
RESNET_WEIGHTS = 23_508_032  # 25,557,032 of ResNet-50 as published, less 2,049,000 of its FC


def linear(width, out):
    return (width + 1) * out


def recurrent(gates, width, hidden):
    """Two layers of torch's: each gate has weights for input and state, and two biases."""
    return gates * hidden * (width + hidden + 2) + gates * hidden * (hidden + hidden + 2)


def gru(width, hidden):
    return recurrent(3, width, hidden)


def lstm(width, hidden):
    return recurrent(4, width, hidden)


def tcn(width):
    """Six blocks of two convolutions over 3 frames: weights, a norm and a bias for each filter."""
    return 6 * 2 * (3 * width * width + 2 * width)


def transformer(width):
    """Enter, four blocks, leave; a block has two norms, four maps to attend, two to 4 x width."""
    norm, maps = 2 * width, 4 * linear(width, width)
    block = 2 * norm + maps + linear(width, 4 * width) + linear(4 * width, width)
    return linear(width, width) + 4 * block + norm


# what enters the first fully connected layer, the widths of these, parameters of the temporal
# parts, what enters the output
NETWORKS = {
    "affwild-vggface-gru": (4608 + 136, [4096], [gru(4096, 128)], 128),
    "affwild-vggface-lstm": (4608 + 136, [4096], [lstm(4096, 128)], 128),
    "affwild-vggface-cnn": (4608, [4096, 4096], [0], 4096),
    "affwild-vggface-cnn-2000": (4608, [4096, 2000], [0], 2000),
    "affwild-vgg16-gru": (4608 + 136, [4096], [gru(4096, 128)], 128),
    "affwild-vgg16-cnn": (4608, [4096, 4096], [0], 4096),
    "affwild-resnet50-gru": (2048 + 136, [1500], [gru(1500, 128)], 128),
    "affwild-resnet50-gru-released": (2048, [], [gru(2048, 128)], 128),
    "affwild-resnet50-cnn": (2048, [1500, 256], [0], 256),
    "omg-vggface-1rnn": (4608, [4096], [gru(4096 + 4608, 128)], 128),
    "omg-vggface-3rnn": (4608, [4096], [gru(w, 256) for w in (4096, 36 * 512, 4608)], 3 * 256),
    "abaw-mobilenetv4-tcn": (1280, [256], [tcn(256)], 256),
    "abaw-convnextv2-transformer": (640, [256], [transformer(256)], 256),
    "demo": (1024, [64], [3 * 64 * (64 + 64 + 2)], 64),
    "quick": (1024, [32], [3 * 32 * (32 + 32 + 2)], 32),
}


@cache
def shipped(name):
    return list_layers(read_recipe(name))


def short(*overrides):
    """AffWildNet on few frames: torch goes over a GRU without content frame by frame."""
    return read_recipe("affwild-vggface-gru", ["windows.length=8", *overrides])


def test_every_shipped_recipe_is_in_the_table():
    assert sorted(NETWORKS) == shipped_recipes()


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_have_the_sizes_derived_by_hand(name):
    width, connected, temporal, read = NETWORKS[name]
    layers = shipped(name)
    length = read_recipe(name).windows.length
    features = [row.shape for row in layers if row.name.startswith("cnn.")][-1:]
    features += [row.shape for row in layers if row.name == "landmarks"]
    assert sum(size for _, size in features) == width
    linears = [row for row in layers if row.kind.startswith("Linear") and "connected" in row.name]
    assert [row.shape for row in linears] == [(length, size) for size in connected]
    expected = list(map(linear, [width, *connected], connected))
    assert [row.parameters for row in linears] == expected
    parts = [row for row in layers if row.name.startswith("temporal")]
    assert [row.parameters for row in parts] == temporal
    assert layers[-1][2:] == ((length, 2), linear(read, 2), linear(read, 2))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_counts_every_parameter_once(name):
    recipe = read_recipe(name)
    whole = sum(weight.numel() for weight in empty_network(recipe).parameters())
    assert sum(row.parameters for row in shipped(name)) == whole
    cnn = sum(row.parameters for row in shipped(name) if row.name.startswith("cnn."))
    known = {"vggface": VGG_WEIGHTS, "vgg16": VGG_WEIGHTS, "resnet50": RESNET_WEIGHTS}
    assert cnn == known.get(recipe.model.backbone, cnn)


def test_affwildnet_layer_by_layer():
    layers = shipped("affwild-vggface-gru")
    convolutions = [row[2:] for row in layers if row.kind == "Conv2d 3 x 3"]
    weights = [out * (9 * channels + 1) for channels, out, _ in VGG]
    shapes = [(80, out, side, side) for _, out, side in VGG]
    assert convolutions == list(zip(shapes, weights, weights, strict=True))
    pools = [row.shape for row in layers if row.kind == "MaxPool2d"]
    sides = [(64, 48), (128, 24), (256, 12), (512, 6), (512, 3)]
    assert pools == [(80, channels, side, side) for channels, side in sides]
    fc, memory = linear(4744, 4096), gru(4096, 128)
    assert (fc, memory) == (19_435_520, 1_721_856)
    assert [tuple(row) for row in layers[-7:]] == [
        ("cnn.flatten", "Flatten", (80, 3 * 3 * 512), 0, 0),
        ("landmarks", "68 points", (80, 136), 0, 0),
        ("connected.0", "Linear 4744 -> 4096", (80, 4096), fc, fc),
        ("connected.1", "ReLU", (80, 4096), 0, 0),
        ("connected.2", "Dropout 0.5", (80, 4096), 0, 0),
        ("temporal", "gru 4096 -> 2 x 128", (80, 128), memory, memory),
        ("output", "Linear 128 -> 2", (80, 2), 258, 258),
    ]


def test_at_224_pixels_the_first_layer_is_as_wide_as_vgg_face_had_it():
    recipe = read_recipe("affwild-vggface-gru", ["windows.input_size=224"])
    kinds = {row.name: row.kind for row in list_layers(recipe)}
    assert kinds["connected.0"] == f"Linear {7 * 7 * 512 + 136} -> 4096"


def test_the_gru_of_tensorflow_has_one_bias_less():
    recipe = read_recipe("affwild-vggface-gru", ["model.temporal=gru_tf1"])
    memory = next(row for row in list_layers(recipe) if row.name == "temporal")
    assert memory.parameters == gru(4096, 128) - 2 * 3 * 128


def test_what_the_memories_hear_is_marked():
    layers = shipped("omg-vggface-3rnn")
    assert [row.name for row in layers if row.kind.endswith(", tapped")] == [
        "cnn.features.29",
        "cnn.features.30",
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_pretrained_weights_are_published_under_the_backbones_name(name):
    model = read_recipe(name).model
    published = model.backbone in BACKBONES or timm.is_model_pretrained(model.backbone)
    assert published or not model.pretrained


def test_frozen_parts_are_told_apart():
    recipe = read_recipe("affwild-vggface-gru", ['training.frozen=["cnn"]'])
    trained = sum(row.trained for row in list_layers(recipe))
    assert trained == linear(4744, 4096) + gru(4096, 128) + 258


def test_a_network_for_no_machine_on_earth_is_only_described():
    recipe = read_recipe("quick", ["model.connected=[1000000, 1000000]"])
    assert sum(row.parameters for row in list_layers(recipe)) > 1e12
    assert estimate_memory(recipe)["weights"] > 4e12


def test_weights_to_start_from_need_not_be_there():
    recipe = read_recipe("affwild-vggface-gru", ["model.weights=gone.pth"])
    assert all(weight.is_meta for weight in empty_network(recipe).parameters())


def kept(net, *shape):
    with torch.device("meta"):
        net, image = net.to("meta"), torch.empty(shape)
    return activations(net, lambda: net(image))


def test_activations_of_two_linear_layers():
    # the 5 x 4 inputs, and the 5 x 3 outputs of ReLU, which the second layer sees too
    assert kept(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), 5, 4) == 4 * (20 + 15)


def test_activations_of_a_convolution():
    # 2 pictures of 4 x 4; 3 channels of them after ReLU; where their largest of 2 x 2 were, int64
    net = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    assert kept(net, 2, 1, 4, 4) == 4 * 2 * 16 + 4 * 2 * 3 * 16 + 8 * 2 * 3 * 4


def test_a_convolution_that_stands_still_keeps_nothing():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 2))
    net[0].requires_grad_(False)
    assert kept(net, 5, 1, 4, 4) == 4 * 5 * 12


@pytest.mark.parametrize("temporal", ["gru", "tcn", "transformer"])
def test_a_net_without_content_keeps_what_a_real_one_keeps(recipe, temporal):
    settings = recipe(model__temporal=temporal, windows__augment=False)
    model = build_model(settings)
    freeze(model, [])
    image, landmark = torch.rand(3, 20, 3, 32, 32), torch.rand(3, 20, 68, 2)
    real = activations(model, lambda: model(image, landmark)[0])
    assert estimate_memory(settings)["activations"] == pytest.approx(real, rel=0.1)


def test_a_step_by_what_it_holds(recipe):
    weights = sum(row.parameters for row in list_layers(recipe()))
    memory = estimate_memory(recipe())
    assert memory["weights"] == memory["gradients"] == 4 * weights
    assert memory["AdamW"] == 2 * 4 * weights


def test_activations_grow_with_the_windows():
    one, two, four = (estimate_memory(short(f"windows.batch={batch}")) for batch in (1, 2, 4))
    assert four["activations"] - two["activations"] == 2 * (two["activations"] - one["activations"])
    assert two["activations"] == pytest.approx(2 * one["activations"], rel=1e-3)
    assert one["weights"] == four["weights"]


@pytest.mark.parametrize(
    ("override", "windows"),
    [("accumulate=2", 2), ("accumulate=3", 2), ("devices=2", 2), ("devices=3", 2)],
)
def test_pieces_and_processes_share_a_batch(override, windows):
    shared = short(f"training.{override}")
    alone = short(f"windows.batch={windows}")
    assert windows_at_once(shared) == windows
    assert estimate_memory(shared) == estimate_memory(alone)


def test_what_saves_memory_shows():
    def kept_with(*overrides):
        return estimate_memory(short(*overrides))["activations"]

    assert kept_with("training.precision=bf16-mixed") == kept_with() // 2
    assert kept_with("training.gradient_checkpointing=true") < 0.5 * kept_with()
    assert kept_with('training.frozen=["cnn"]') < 0.01 * kept_with()
