"""Networks of the true architecture with random weights replace those of the package."""

import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.faces.face_alignment import weight_urls, wrap_face_alignment

RGB = np.random.default_rng(0).integers(0, 255, (128, 160, 3), np.uint8)


def test_results_of_the_package_are_converted():
    """The package returns faces with a score, and points that count from pixel centres."""
    face = np.array([60.0, 20, 120, 80, 0.8])

    def points(rgb: np.ndarray, detected_faces: list[np.ndarray]) -> list[np.ndarray]:
        assert rgb.shape == (128, 160, 3)
        return [np.tile((box[:2] + box[2:]) / 2, (68, 1)) for box in detected_faces]

    face_detector = SimpleNamespace(
        detect_from_image=lambda rgb: [face, np.append(face[:4] + 5, 0.6)] if rgb.any() else []
    )
    detector = wrap_face_alignment(
        SimpleNamespace(face_detector=face_detector, get_landmarks_from_image=points)
    )
    box, score = detector.detect(RGB)
    np.testing.assert_array_equal(box, [[60, 20, 120, 80], [65, 25, 125, 85]])
    assert (box.dtype, score.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(score, [0.8, 0.6])
    assert detector.is_confident(score).all()
    landmark = detector.landmarks(RGB, box)
    assert (landmark.dtype, landmark.shape) == (np.float32, (2, 68, 2))
    np.testing.assert_array_equal(landmark[1], [[95.5, 55.5]] * 68)
    box, score = detector.detect(np.zeros_like(RGB))
    assert (box.shape, score.shape) == ((0, 4), (0,))
    assert detector.landmarks(RGB, box).shape == (0, 68, 2)


def test_the_error_names_missing_weights_and_their_folder(tmp_path, monkeypatch):
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


def test_unknown_face_detectors_and_folders_are_named(tmp_path):
    with pytest.raises(AffectkitError, match="did you mean 'sfd'"):
        load_detector("face-alignment", face_detector="sdf")
    with pytest.raises(AffectkitError, match="is not a folder"):
        load_detector("face-alignment", weights=tmp_path / "none")


@pytest.fixture
def random_weights(tmp_path: Path) -> Path:
    """A folder with random weights for blazeface and the landmark network."""
    from face_alignment.detection.blazeface.net_blazeface import BlazeFace
    from face_alignment.models import FAN

    torch.manual_seed(0)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    face_detector = BlazeFace()
    for stride in (8, 16):  # every anchor detects the same face, half as wide as the picture
        torch.nn.init.constant_(getattr(face_detector, f"classifier_{stride}").bias, 4.0)
        regressor = getattr(face_detector, f"regressor_{stride}")
        torch.nn.init.zeros_(regressor.weight)
        torch.nn.init.zeros_(regressor.bias)
        regressor.bias.data.view(-1, 16)[:, 2:4] = 64
    torch.save(face_detector.state_dict(), folder / "blazeface.pth")
    np.save(folder / "anchors.npy", np.tile(np.float32([0.5, 0.5, 1, 1]), (896, 1)))
    torch.save(FAN(4).state_dict(), folder / "2DFAN4-11f355bf06.pth.tar")
    return tmp_path


def test_weights_are_loaded_from_a_folder(random_weights):
    detector = load_detector("face-alignment", face_detector="blazeface", weights=random_weights)
    box, score = detector.detect(RGB)
    # the picture is 160 wide and 128 high: its central square is searched
    np.testing.assert_allclose(box, [[48, 32, 112, 96]], atol=1)
    assert detector.is_confident(score).all()
    landmark = detector.landmarks(RGB, np.concatenate([box, box - 8]))
    assert landmark.shape == (2, 68, 2)
    assert np.isfinite(landmark).all()
    assert torch.hub.get_dir() != str(random_weights)


def test_damaged_weights_are_named(random_weights):
    (random_weights / "checkpoints/blazeface.pth").write_bytes(b"not weights")
    with pytest.raises(AffectkitError, match=r"remove damaged files from .*checkpoints"):
        load_detector("face-alignment", face_detector="blazeface", weights=str(random_weights))


def test_blazeface_needs_only_the_files_of_the_front_camera():
    assert [Path(url.split("?")[0]).name for url in weight_urls("blazeface")] == [
        "2DFAN4-11f355bf06.pth.tar",
        "blazeface.pth",
        "anchors.npy",
    ]
