"""Layers and memory of a recipe compared with numbers derived by hand, and measured times."""

import time
from functools import cache

import pytest
import timm
import torch
from torch import nn

from affectkit.errors import AffectkitError
from affectkit.models.architectures import BACKBONES
from affectkit.recording import open_recording, save_recording
from affectkit.training.fit import fit
from affectkit.training.learner import freeze
from affectkit.training.model import build_model
from affectkit.training.recipe import parse_overrides, read_recipe, shipped_recipes
from affectkit.training.summary import (
    Throughput,
    activation_bytes,
    build_meta_model,
    estimate_memory,
    frames_in_epoch,
    list_layers,
    measure_throughput,
    micro_batch_size,
)

# input and output channels of VGG's convolutions, and the side of their output; pooling halves the
# side, from 96 pixels to 3
VGG = [(3, 64, 96), (64, 64, 96), (64, 128, 48), (128, 128, 48), (128, 256, 24), (256, 256, 24),
       (256, 256, 24), (256, 512, 12), (512, 512, 12), (512, 512, 12), (512, 512, 6),
       (512, 512, 6), (512, 512, 6)]  # fmt: skip
VGG_WEIGHTS = 14_714_688  # 138,357,544 of VGG-16 as published, less 123,642,856 of its three FC
RESNET_WEIGHTS = 23_508_032  # 25,557,032 of ResNet-50 as published, less 2,049,000 of its FC


def linear(width, out):
    return (width + 1) * out


def recurrent(gates, width, hidden):
    """Two layers of torch: each gate has weights for input and state, and two biases."""
    return gates * hidden * (width + hidden + 2) + gates * hidden * (hidden + hidden + 2)


def gru(width, hidden):
    return recurrent(3, width, hidden)


def lstm(width, hidden):
    return recurrent(4, width, hidden)


def tcn(width):
    """Six blocks of two convolutions over 3 frames: weights, a norm and a bias per filter."""
    return 6 * 2 * (3 * width * width + 2 * width)


def transformer(width):
    """Input layer, four blocks, norm; a block has two norms, four attention layers, an MLP."""
    norm, maps = 2 * width, 4 * linear(width, width)
    block = 2 * norm + maps + linear(width, 4 * width) + linear(4 * width, width)
    return linear(width, width) + 4 * block + norm


# inputs of the first fully connected layer, widths of these layers, parameters of the temporal
# modules, inputs of the output layer
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
    "demo-faces": (128, [64], [3 * 64 * (64 + 64 + 2)], 64),
    "demo-short": (96, [64], [3 * 64 * (64 + 64 + 2)], 64),
    "quick": (1024, [32], [3 * 32 * (32 + 32 + 2)], 32),
}


@cache
def layers_of(name):
    return list_layers(read_recipe(name))


def short(*overrides):
    """AffWildNet with short windows: on the meta device, a GRU is slow, frame by frame."""
    return read_recipe("affwild-vggface-gru", **parse_overrides(["windows.length=8", *overrides]))


def test_every_shipped_recipe_is_in_the_table():
    assert sorted(NETWORKS) == shipped_recipes()


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_have_the_sizes_derived_by_hand(name):
    width, connected, temporal, read = NETWORKS[name]
    layers = layers_of(name)
    length = read_recipe(name).windows.length
    features = [row.shape for row in layers if row.name.startswith("cnn.")][-1:]
    features += [row.shape for row in layers if row.name == "landmarks"]
    assert sum(size for _, size in features) == width
    linears = [row for row in layers if row.kind.startswith("Linear") and "fc" in row.name]
    assert [row.shape for row in linears] == [(length, size) for size in connected]
    expected = list(map(linear, [width, *connected], connected))
    assert [row.parameters for row in linears] == expected
    parts = [row for row in layers if row.name.startswith("temporal")]
    assert [row.parameters for row in parts] == temporal
    assert layers[-1][2:] == ((length, 2), linear(read, 2), linear(read, 2))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_counts_every_parameter_once(name):
    recipe = read_recipe(name)
    whole = sum(weight.numel() for weight in build_meta_model(recipe).parameters())
    assert sum(row.parameters for row in layers_of(name)) == whole
    cnn = sum(row.parameters for row in layers_of(name) if row.name.startswith("cnn."))
    known = {"vggface": VGG_WEIGHTS, "vgg16": VGG_WEIGHTS, "resnet50": RESNET_WEIGHTS}
    assert cnn == known.get(recipe.model.backbone, cnn)


def test_affwildnet_layer_by_layer():
    layers = layers_of("affwild-vggface-gru")
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
        ("fc.0", "Linear 4744 -> 4096", (80, 4096), fc, fc),
        ("fc.1", "ReLU", (80, 4096), 0, 0),
        ("fc.2", "Dropout 0.5", (80, 4096), 0, 0),
        ("temporal", "gru 4096 -> 2 x 128", (80, 128), memory, memory),
        ("head", "Linear 128 -> 2", (80, 2), 258, 258),
    ]


def test_at_224_pixels_the_first_layer_is_as_wide_as_vgg_face_had_it():
    recipe = read_recipe("affwild-vggface-gru", **parse_overrides(["windows.input_size=224"]))
    kinds = {row.name: row.kind for row in list_layers(recipe)}
    assert kinds["fc.0"] == f"Linear {7 * 7 * 512 + 136} -> 4096"


def test_the_gru_of_tensorflow_has_one_bias_less():
    recipe = read_recipe("affwild-vggface-gru", **parse_overrides(["model.temporal=gru_tf1"]))
    memory = next(row for row in list_layers(recipe) if row.name == "temporal")
    assert memory.parameters == gru(4096, 128) - 2 * 3 * 128


def test_feature_layers_are_marked():
    layers = layers_of("omg-vggface-3rnn")
    assert [row.name for row in layers if row.kind.endswith(", feature layer")] == [
        "cnn.features.29",
        "cnn.features.30",
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_pretrained_weights_are_published_under_the_backbones_name(name):
    model = read_recipe(name).model
    published = model.backbone in BACKBONES or timm.is_model_pretrained(model.backbone)
    assert published or not model.pretrained


def test_frozen_parameters_do_not_count_as_trained():
    recipe = read_recipe("affwild-vggface-gru", **parse_overrides(['training.frozen=["cnn"]']))
    trained = sum(row.trained for row in list_layers(recipe))
    assert trained == linear(4744, 4096) + gru(4096, 128) + 258


def test_the_largest_fully_connected_layers_can_be_summarised_without_memory():
    recipe = read_recipe("quick", model={"fc": 16 * [16_384]})
    assert sum(row.parameters for row in list_layers(recipe)) > 4e9
    assert estimate_memory(recipe)["weights"] > 1.6e10


def test_weights_to_start_from_may_be_missing():
    recipe = read_recipe("affwild-vggface-gru", **parse_overrides(["model.weights=gone.pth"]))
    assert all(weight.is_meta for weight in build_meta_model(recipe).parameters())


def saved_bytes(model, *shape):
    with torch.device("meta"):
        model, image = model.to("meta"), torch.empty(shape)
    return activation_bytes(model, lambda: model(image))


def test_activations_of_two_linear_layers():
    # the 5 x 4 inputs, and the 5 x 3 outputs of ReLU, which the second layer sees too
    assert saved_bytes(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), 5, 4) == 4 * (
        20 + 15
    )


def test_activations_of_a_convolution():
    # 2 pictures of 4 x 4; 3 channels of them after ReLU; where their largest of 2 x 2 were, int64
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    assert saved_bytes(model, 2, 1, 4, 4) == 4 * 2 * 16 + 4 * 2 * 3 * 16 + 8 * 2 * 3 * 4


def test_a_frozen_convolution_saves_nothing():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 2))
    model[0].requires_grad_(False)
    assert saved_bytes(model, 5, 1, 4, 4) == 4 * 5 * 12


@pytest.mark.parametrize("temporal", ["gru", "tcn", "transformer"])
def test_activations_on_the_meta_device_equal_those_of_a_real_model(recipe, temporal):
    settings = recipe(model__temporal=temporal, windows__augment=False)
    model = build_model(settings)
    freeze(model, [])
    image, landmark = torch.rand(3, 20, 3, 32, 32), torch.rand(3, 20, 68, 2)
    real = activation_bytes(model, lambda: model(image, landmark)[0])
    assert estimate_memory(settings)["activations"] == pytest.approx(real, rel=0.1)


def test_weights_gradients_and_adamw_have_the_size_of_the_parameters(recipe):
    weights = sum(row.parameters for row in list_layers(recipe()))
    memory = estimate_memory(recipe())
    assert memory["weights"] == memory["gradients"] == 4 * weights
    assert memory["AdamW"] == 2 * 4 * weights


def test_activations_are_proportional_to_the_windows():
    one, two, four = (estimate_memory(short(f"windows.batch={batch}")) for batch in (1, 2, 4))
    assert four["activations"] - two["activations"] == 2 * (two["activations"] - one["activations"])
    assert two["activations"] == pytest.approx(2 * one["activations"], rel=1e-3)
    assert one["weights"] == four["weights"]


@pytest.mark.parametrize(
    ("override", "windows"),
    [("micro_batches=2", 2), ("micro_batches=3", 2), ("devices=2", 2), ("devices=3", 2)],
)
def test_micro_batches_and_processes_divide_a_batch(override, windows):
    shared = short(f"training.{override}")
    alone = short(f"windows.batch={windows}")
    assert micro_batch_size(shared) == windows
    assert estimate_memory(shared) == estimate_memory(alone)


def test_settings_that_save_memory_reduce_the_estimate():
    def activations_with(*overrides):
        return estimate_memory(short(*overrides))["activations"]

    assert activations_with("training.precision=bf16-mixed") == activations_with() // 2
    assert activations_with("training.gradient_checkpointing=true") < 0.5 * activations_with()
    assert activations_with('training.frozen=["cnn"]') < 0.01 * activations_with()


def test_time_is_proportional_to_frames_and_steps():
    throughput = Throughput(frame=0.01, step=0.5, timed=8, device="cpu", devices=1)
    assert throughput.seconds(1000, batch=100) == pytest.approx(1000 * 0.01 + 10 * 0.5)
    assert throughput._replace(devices=2).seconds(1000, batch=50) == pytest.approx(5 + 10 * 0.5)


@pytest.mark.parametrize("temporal", ["none", "lstm"])
def test_steps_are_timed_up_to_a_whole_batch(recipe, temporal):
    began = time.perf_counter()
    throughput = measure_throughput(recipe(model__temporal=temporal))
    spent = time.perf_counter() - began
    assert throughput.timed in (8, 20, 3 * 20)
    assert (throughput.device, throughput.devices) == ("cpu", 1)
    # the largest step was run twice, and its faster time is the estimate
    assert 0 < 2 * throughput.seconds(throughput.timed, batch=throughput.timed) < spent


def test_one_process_is_timed_for_several(recipe):
    assert measure_throughput(recipe(training__devices=3)).timed <= 20  # one window per process


def test_an_epoch_has_the_frames_of_its_full_batches(recordings, recipe):
    # 60, 45, 60 and 50 frames hold 3 + 2 + 3 + 2 windows of 20, which fill 3 batches of 3
    assert frames_in_epoch(recipe(), recordings) == 3 * 3 * 20
    assert frames_in_epoch(recipe(windows__batch=2), recordings) == 5 * 2 * 20


def test_frames_of_an_epoch_are_those_of_the_training_recordings(recordings, recipe, tmp_path):
    settings, steps = recipe(training__epochs=1), []
    fit(settings, recordings, tmp_path / "run", progress=lambda *report: steps.append(report[2]))
    assert frames_in_epoch(settings, recordings) == steps[-1] * 3 * 20


def change(recordings, variable, values):
    """Save every recording with other values of a variable."""
    for path in recordings.glob("*.zarr"):
        recording = open_recording(path).load()
        recording[variable] = values(recording[variable])
        save_recording(recording, path, overwrite=True)
    return recordings


def test_unrelated_pictures_are_an_error_in_the_summary_too(recordings, recipe):
    change(recordings, "time", lambda time: time * 100)
    with pytest.raises(AffectkitError, match="one frame every 4 s: these are unrelated"):
        frames_in_epoch(recipe(), recordings)


def test_a_share_for_an_empty_quadrant_is_an_error_in_the_summary_too(recordings, recipe):
    change(recordings, "annotation", abs)
    with pytest.raises(
        AffectkitError, match=r"asks for frames in -V \+A, but the training recordings have no"
    ):
        frames_in_epoch(recipe(windows__quadrant_shares=[0.5, 0.5, 0.0, 0.0]), recordings)
