"""Nets of the true form with made-up weights stand in for the weights of the package."""

import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.faces.face_alignment import adapt, weight_urls

RGB = np.random.default_rng(0).integers(0, 255, (128, 160, 3), np.uint8)


def test_finder_and_net_become_box_and_landmark():
    """Stand-ins for what the package gives: faces with a score, points without the half pixel."""
    face = np.array([60.0, 20, 120, 80, 0.8])

    def points(rgb: np.ndarray, detected_faces: list[np.ndarray]) -> list[np.ndarray]:
        assert rgb.shape == (128, 160, 3)
        return [np.tile((box[:2] + box[2:]) / 2, (68, 1)) for box in detected_faces]

    finder = SimpleNamespace(detect_from_image=lambda rgb: [face, face + 5] if rgb.any() else [])
    detector = adapt(SimpleNamespace(face_detector=finder, get_landmarks_from_image=points))
    box, sure = detector.find(RGB)
    np.testing.assert_array_equal(box, [[60, 20, 120, 80], [65, 25, 125, 85]])
    assert (box.dtype, sure.tolist()) == (np.float32, [True, True])
    landmark = detector.fit(RGB, box)
    assert (landmark.dtype, landmark.shape) == (np.float32, (2, 68, 2))
    np.testing.assert_array_equal(landmark[1], [[95.5, 55.5]] * 68)
    box, sure = detector.find(np.zeros_like(RGB))
    assert (box.shape, sure.shape) == ((0, 4), (0,))
    assert detector.fit(RGB, box).shape == (0, 68, 2)


def test_without_net_and_weights_the_error_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setattr(urllib.request, "_opener", None)
    with pytest.raises(AffectkitError) as error:
        load_detector("face-alignment", weights=tmp_path)
    message = str(error.value)
    assert "2DFAN4-11f355bf06.pth.tar" in message
    assert "s3fd-619a316812.pth" in message
    assert str(tmp_path / "checkpoints") in message
    assert "use --detector dlib" in message
    assert "\n" not in message


def test_unknown_finders_and_folders_are_named(tmp_path):
    with pytest.raises(AffectkitError, match="did you mean 'sfd'"):
        load_detector("face-alignment", finder="sdf")
    with pytest.raises(AffectkitError, match="is not a folder"):
        load_detector("face-alignment", weights=tmp_path / "none")


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A folder with weights of the true form for blazeface and the 68 points."""
    from face_alignment.detection.blazeface.net_blazeface import BlazeFace
    from face_alignment.models import FAN

    torch.manual_seed(0)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    finder = BlazeFace()
    for stride in (8, 16):  # every anchor sees the same face, half as wide as the picture
        torch.nn.init.constant_(getattr(finder, f"classifier_{stride}").bias, 4.0)
        regressor = getattr(finder, f"regressor_{stride}")
        torch.nn.init.zeros_(regressor.weight)
        torch.nn.init.zeros_(regressor.bias)
        regressor.bias.data.view(-1, 16)[:, 2:4] = 64
    torch.save(finder.state_dict(), folder / "blazeface.pth")
    np.save(folder / "anchors.npy", np.tile(np.float32([0.5, 0.5, 1, 1]), (896, 1)))
    torch.save(FAN(4).state_dict(), folder / "2DFAN4-11f355bf06.pth.tar")
    return tmp_path


def test_weights_of_a_folder_are_loaded_and_run(made_up):
    detector = load_detector("face-alignment", finder="blazeface", weights=made_up)
    box, sure = detector.find(RGB)
    # the picture is 160 wide and 128 high: its middle square is looked at
    np.testing.assert_allclose(box, [[48, 32, 112, 96]], atol=1)
    assert sure.all()
    landmark = detector.fit(RGB, np.concatenate([box, box - 8]))
    assert landmark.shape == (2, 68, 2)
    assert np.isfinite(landmark).all()
    assert torch.hub.get_dir() != str(made_up)


def test_damaged_weights_are_named(made_up):
    (made_up / "checkpoints/blazeface.pth").write_bytes(b"not weights")
    with pytest.raises(AffectkitError, match=r"remove damaged files from .*checkpoints"):
        load_detector("face-alignment", finder="blazeface", weights=str(made_up))


def test_the_front_camera_of_blazeface_needs_three_files():
    assert [Path(url.split("?")[0]).name for url in weight_urls("blazeface")] == [
        "2DFAN4-11f355bf06.pth.tar",
        "blazeface.pth",
        "anchors.npy",
    ]
