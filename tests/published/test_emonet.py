"""EmoNet as a run: valence and arousal are the last two outputs of the published file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.faces import crop_boxes, largest_face, load_detector
from affectkit.published import create_published_run
from affectkit.published.create import MODELS
from affectkit.run import read_metadata
from affectkit.training.model import load_model
from affectkit.video import read_frames
from tests.models.test_emonet_network import ByHand, write_emonet

REAL = next(
    (p / "shared/real" for p in Path(__file__).parents if (p / "shared/real").is_dir()), None
)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emonet")
    state = write_emonet(folder / "emonet_5.pth", 5)
    create_published_run("emonet-5", folder / "run", file=folder / "emonet_5.pth")
    return folder, state


def test_the_outputs_are_the_last_two_rows_of_the_output_layer(published):
    folder, state = published
    model = load_model(folder / "run")
    image = torch.rand(1, 2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        found, _ = model(image, torch.zeros(1, 2, 68, 2))
        outputs = ByHand(state).outputs(image[0])
    assert outputs.shape == (2, 5 + 2)
    torch.testing.assert_close(found[0], outputs[:, -2:], rtol=1e-4, atol=1e-3)


def test_the_run_takes_faces_of_256_pixels(published):
    folder, _ = published
    metadata = read_metadata(folder / "run")
    assert (metadata["crop"]["size"], metadata["input_size"]) == (256, 256)


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="needs the real clips in shared/real")
@pytest.mark.parametrize("name", ["single_face.mp4", "head-pose-face-detection-male.gif"])
def test_the_crop_is_nearly_the_square_of_the_authors(name):
    _, rgb = next(read_frames(REAL / name, 1))
    _, points, _ = largest_face(load_detector("dlib"), rgb[0])
    low, high = points.min(0), points.max(0)
    side = (high - low).sum() / 1.1  # of the square in their code, around the middle of the box
    expected = np.concatenate([low + high - side, low + high + side]) / 2
    found = crop_boxes(points[None], np.zeros(1), MODELS["emonet-8"].crop)[0]
    np.testing.assert_allclose(found, expected, atol=0.06 * side)


def test_the_file_with_other_expressions_is_refused(published, tmp_path):
    folder, _ = published
    with pytest.raises(AffectkitError, match=r"emonet_5.pth is another network: expected 10 out"):
        create_published_run("emonet-8", tmp_path / "run", file=folder / "emonet_5.pth")
    assert not (tmp_path / "run").exists()


def test_another_network_is_refused_with_what_is_missing_and_left_over(published, tmp_path):
    _, state = published
    other = {name.replace("m1.", "m2."): tensor for name, tensor in state.items()}
    torch.save(other, tmp_path / "other.pth")
    with pytest.raises(AffectkitError) as error:
        create_published_run("emonet-5", tmp_path / "run", file=tmp_path / "other.pth")
    message = str(error.value)
    assert "\n" not in message
    assert "missing: cnn.m1.b1_4.bn1.weight" in message
    assert "unknown: cnn.m2.b1_1.bn1.weight" in message
