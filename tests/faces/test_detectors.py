import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import DETECTORS, load_detector
from affectkit.faces.choose import choose_face
from affectkit.video import read_frames

REAL = next(
    (p / "shared/real" for p in Path(__file__).parents if (p / "shared/real").is_dir()), None
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (frame, row, col, channel) of a drawn person and the true landmarks."""
    root = synthetic.write(
        tmp_path_factory.mktemp("drawn") / "data", people=(0, 0, 1), seconds=2, fps=6, workers=1
    )
    row = synthetic.index(root).iloc[0]
    _, rgb = next(read_frames(Path(row["video"])))
    return rgb, synthetic.truth(root, row["recording"])["landmark"].values[: len(rgb)]


def test_dlib_finds_drawn_faces_and_their_points(drawn):
    rgb, truth = drawn
    box, landmark = load_detector("dlib")(rgb)
    assert (box.dtype, landmark.dtype) == (np.float32, np.float32)
    assert np.isfinite(landmark).all()
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    error = np.linalg.norm(landmark - truth, axis=2).mean(axis=1) / eyes
    assert error.mean() < 0.05
    middle = landmark.mean(axis=1)
    assert ((box[:, :2] < middle) & (middle < box[:, 2:])).all()


def test_dlib_gives_nan_where_there_is_no_face(drawn):
    rgb = np.stack([np.full_like(drawn[0][0], 127), drawn[0][0]])
    box, landmark = load_detector("dlib")(rgb)
    assert np.isnan(box[0]).all()
    assert np.isnan(landmark[0]).all()
    assert np.isfinite(box[1]).all()


def test_batches_in_order_give_what_one_batch_gives(drawn):
    rgb, _ = drawn
    whole, _ = load_detector("dlib")(rgb)
    detect = load_detector("dlib")
    np.testing.assert_array_equal(np.concatenate([detect(rgb[:5])[0], detect(rgb[5:])[0]]), whole)


def test_of_two_faces_the_larger_is_taken_and_then_kept():
    first = np.float32([[0, 0, 50, 50], [100, 0, 160, 60]])
    assert choose_face(first, np.array([True, True]), None) == 1
    second = np.float32([[0, 0, 90, 90], [104, 2, 160, 58]])
    assert choose_face(second, np.array([True, True]), first[1]) == 1


def test_a_weak_candidate_counts_only_where_the_face_was():
    weak = np.float32([[100, 0, 160, 60]])
    assert choose_face(weak, np.array([False]), None) is None
    assert choose_face(weak, np.array([False]), np.float32([105, 5, 165, 65])) == 0
    assert choose_face(weak, np.array([False]), np.float32([300, 5, 360, 65])) is None
    assert choose_face(np.empty((0, 4), np.float32), np.empty(0, bool), None) is None


def test_an_unknown_detector_or_option_lists_the_known_ones():
    with pytest.raises(AffectkitError, match="did you mean 'dlib'"):
        load_detector("dlip")
    with pytest.raises(AffectkitError, match=r"option of detector 'dlib' 'size'.*upsample"):
        load_detector("dlib", size=3)
    assert list(DETECTORS) == ["dlib", "face-alignment"]


def test_a_missing_or_wrong_file_of_points_is_named(tmp_path):
    with pytest.raises(AffectkitError, match="68-point"):
        load_detector("dlib", landmarks=tmp_path / "none.dat")
    (tmp_path / "text.dat").write_text("not a predictor")
    with pytest.raises(AffectkitError, match=r"text\.dat is no 68-point predictor"):
        load_detector("dlib", landmarks=tmp_path / "text.dat")


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="no real clips beside the project")
@pytest.mark.parametrize("name", ["head-pose-face-detection-female.gif", "single_face.mp4"])
def test_dlib_follows_turned_heads_in_real_clips(name, tmp_path):
    clip = Path(shutil.copy(REAL / name, tmp_path))
    detect = load_detector("dlib")
    boxes = np.concatenate([detect(rgb)[0] for _, rgb in read_frames(clip)])
    assert np.isfinite(boxes[:, 0]).mean() >= 0.95
