"""The networks of Kollias et al. equal a forward pass in NumPy from their documented equations.

TensorFlow itself (2.15 and 2.21, slim of tf_slim 1.1) gave the same outputs to 3e-6.
"""

import shutil

import numpy as np
import pytest
import torch

import affectkit as ak
from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.normalisation import normalise
from affectkit.published import MODELS, create_published_run
from affectkit.run import read_metadata
from affectkit.training.recipe import Recipe
from affectkit.weights import PUBLISHED
from tests.conftest import fake_recording
from tests.models.tensorflow_files import pool_same, write_checkpoint
from tests.published import affwildnet_by_hand as by_hand

FRAMES = 3
PIXELS = np.random.default_rng(2).integers(0, 256, (FRAMES, 96, 96, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A checkpoint with the variables of VGG-Face-GRU and of `vggface_4096x2000x2`."""
    random = np.random.default_rng(0)
    variables = by_hand.make_vgg(random) | by_hand.make_dense(random, "linear_1", 4608, 4096)
    variables |= by_hand.make_gru(random, "rnn_1", "rnn", 4096)
    variables |= by_hand.make_dense(random, "linear2_1", 4096, 2000)
    variables |= by_hand.make_dense(random, "linear3_1", 2000, 2)
    variables["linear3_1/weights"] *= np.float32(0.2)  # predictions are clipped to [-1, 1]
    variables["rnn_1/biases_rnn/Adam"] = np.ones(2, np.float32)
    variables["global_step"] = np.int64(3)
    folder = tmp_path_factory.mktemp("vgg")
    write_checkpoint(folder / "model.ckpt-0", variables)
    yield variables, folder / "model.ckpt-0"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def vgg_features(vgg):
    """The output of the first fully connected layer (frame, 4096)."""
    pooled = np.array([by_hand.vgg_by_hand(vgg[0], picture) for picture in PIXELS])
    return np.maximum(by_hand.dense_by_hand(vgg[0], "linear_1", pooled), 0)


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    random = np.random.default_rng(1)
    variables = by_hand.make_resnet(random) | by_hand.make_gru(random, "rnn", "output", 2048)
    folder = tmp_path_factory.mktemp("resnet")
    write_checkpoint(folder / "model.ckpt-0", variables)
    yield variables, folder / "model.ckpt-0"
    shutil.rmtree(folder)


def predict(name, checkpoint, folder):
    """Valence and arousal (frame, 2) of `PIXELS` by the run that is made from a checkpoint."""
    create_published_run(name, folder / "run", file=checkpoint)
    recording = fake_recording("one", FRAMES).drop_dims("row")
    recording["face"] = ("frame", "row", "col", "channel"), PIXELS
    recording.attrs["crop"] = read_metadata(folder / "run")["crop"]
    ak.save_recording(recording, folder / "one.zarr")
    predicted = ak.predict(folder / "run", folder / "one.zarr")["prediction"].values
    shutil.rmtree(folder)  # 100 MB or more
    return predicted


def test_vggface_gru_equals_its_equations(vgg, vgg_features, tmp_path):
    expected = by_hand.output_by_hand(vgg[0], "rnn_1", "rnn", vgg_features)
    found = predict("affwildnet-vggface-gru", vgg[1], tmp_path)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 1e-3  # the frames differ


def test_vggface_2000_equals_its_equations(vgg, vgg_features, tmp_path):
    hidden = np.maximum(by_hand.dense_by_hand(vgg[0], "linear2_1", vgg_features), 0)
    expected = by_hand.dense_by_hand(vgg[0], "linear3_1", hidden)
    found = predict("affwild-vggface-2000", vgg[1], tmp_path)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_resnet_gru_equals_its_equations(resnet, tmp_path):
    features = np.array([by_hand.resnet_by_hand(resnet[0], picture) for picture in PIXELS])
    expected = by_hand.output_by_hand(resnet[0], "rnn", "output", features)
    found = predict("affwildnet-resnet-gru", resnet[1], tmp_path)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 1e-3


@pytest.mark.parametrize("size", [45, 47, 50])
def test_slims_resnet_pads_pictures_of_any_size_like_tensorflow(size, resnet):
    module, width, normalisation = build_backbone(
        "resnet50_slim", weights=resnet[1].with_suffix(".ckpt-0.index"), size=size
    )
    picture = PIXELS[0, :size, :size]
    with torch.no_grad():
        found = module.eval()(normalise(torch.tensor(picture)[None], normalisation))[0].numpy()
    assert found.shape == (width,)
    expected = by_hand.resnet_by_hand(resnet[0], picture)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * expected.max())


@pytest.mark.parametrize(("name", "side"), [("vggface", 2), ("resnet50_slim", 3)])
def test_poolings_pad_like_same_in_tensorflow(name, side):
    module = build_backbone(name)[0]
    pool = module.features[4] if name == "vggface" else module.maxpool
    for size in range(3, 12):
        maps = np.random.default_rng(size).standard_normal((size, size + 1, 2))
        found = pool(torch.tensor(maps).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
        np.testing.assert_array_equal(found.numpy(), pool_same(maps, side, 2))


def test_same_pooling_by_hand():
    # 4 rows: no padding above, one below; 5 rows: one on both sides
    row = np.array([[5.0], [1], [2], [3]])
    assert pool_same(row[None].repeat(4, 0), 3, 2)[0, :, 0].tolist() == [5, 3]
    longer = np.array([[1.0], [5], [2], [3], [4]])
    assert pool_same(longer[None].repeat(5, 0), 3, 2)[0, :, 0].tolist() == [5, 5, 4]


def test_the_grus_predict_in_windows_of_80_frames_and_all_pictures_have_96_pixels():
    names = [name for name in MODELS if name.startswith("affwild")]
    assert len(names) == 4
    for name in names:
        recipe = Recipe.model_validate({"name": name, **MODELS[name].recipe})
        assert recipe.predict.window == (80 if name.endswith("gru") else 0)
        assert (recipe.windows.length, recipe.windows.input_size) == (80, 96)
        assert MODELS[name].crop.size == 96
        assert name in PUBLISHED


def read_error(name, path):
    with pytest.raises(AffectkitError) as error:
        MODELS[name].read_tensors(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_checkpoint_of_another_network_lists_what_is_missing_and_left_over(tmp_path):
    variables = {f"resnet_v1_50/conv{n}/weights": np.ones((1, 1), np.float32) for n in range(1, 7)}
    write_checkpoint(tmp_path / "model.ckpt-0", variables)
    message = read_error("affwildnet-vggface-gru", tmp_path / "model.ckpt-0")
    assert "is the checkpoint of another network: missing: conv_1/weights, conv_1/biases" in message
    assert "and 35 more; left over: resnet_v1_50/conv1/weights, " in message
    assert message.endswith("resnet_v1_50/conv3/weights and 3 more")


def test_a_checkpoint_of_other_widths_names_the_shapes_as_in_tensorflow(vgg):
    message = read_error("affwild-vggface-4096", vgg[1])
    assert "linear2_1/weights is 4096 x 2000, expected 4096 x 4096" in message
    assert "missing" not in message


def test_weights_that_are_not_finite_are_refused(resnet, tmp_path):
    variables = resnet[0] | {"rnn/biases_output": np.full(2, np.nan, np.float32)}
    write_checkpoint(tmp_path / "w", variables)
    message = read_error("affwildnet-resnet-gru", tmp_path / "w")
    assert "not finite in rnn/biases_output" in message
    shutil.rmtree(tmp_path)
