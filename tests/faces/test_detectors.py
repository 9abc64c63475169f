from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import DETECTORS, Detector, largest_face, load_detector
from affectkit.faces.tracking import EVERY, follow
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
    detector = load_detector("dlib")
    for picture, true in zip(rgb, truth, strict=True):
        box, sure = detector.find(picture)
        landmark = detector.fit(picture, box)
        assert (box.dtype, box.shape, sure.tolist()) == (np.float32, (1, 4), [True])
        assert (landmark.dtype, landmark.shape) == (np.float32, (1, 68, 2))
        eyes = np.linalg.norm(true[36] - true[45])
        assert np.linalg.norm(landmark[0] - true, axis=1).mean() < 0.1 * eyes
        middle = landmark[0].mean(axis=0)
        assert ((box[0, :2] < middle) & (middle < box[0, 2:])).all()


def test_dlib_finds_nothing_where_there_is_no_face(drawn):
    detector = load_detector("dlib")
    grey = np.full_like(drawn[0][0], 127)
    box, sure = detector.find(grey)
    assert (box.shape, sure.shape) == ((0, 4), (0,))
    assert detector.fit(grey, box).shape == (0, 68, 2)


def test_points_are_fitted_in_any_box_and_each_for_itself(drawn):
    rgb, _ = drawn
    detector = load_detector("dlib")
    box, _ = detector.find(rgb[0])
    both = detector.fit(rgb[0], np.concatenate([box + 3, box]))
    np.testing.assert_array_equal(both[1], detector.fit(rgb[0], box)[0])
    assert 0 < np.abs(both[0] - both[1]).max() < 12


def test_the_largest_face_of_a_picture_is_a_sure_one():
    boxes = np.float32([[0, 0, 50, 50], [100, 0, 160, 60], [0, 0, 90, 90]])

    def fit(picture, boxes):
        return np.repeat(boxes[:, None, :2], 68, axis=1)

    sure = Detector(lambda picture: (boxes, np.array([True, True, False])), fit)
    box, landmark = largest_face(sure, np.zeros((8, 8, 3), np.uint8))
    np.testing.assert_array_equal(box, boxes[1])
    np.testing.assert_array_equal(landmark, [[100, 0]] * 68)
    unsure = Detector(lambda picture: (boxes, np.zeros(3, bool)), fit)
    box, landmark = largest_face(unsure, np.zeros((8, 8, 3), np.uint8))
    assert np.isnan(box).all()
    assert np.isnan(landmark).all()


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
@pytest.mark.parametrize(
    "name",
    [
        "WolfgangLanger_Pexels.mp4",
        "single_face.mp4",
        "head-pose-face-detection-female.gif",
        "head-pose-face-detection-male.gif",
    ],
)
def test_tracking_a_real_face_is_near_detecting_it_on_every_frame(name):
    detector, clip = load_detector("dlib"), REAL / name
    # four seconds are enough
    tracked, every = (
        follow(islice(read_frames(clip), 3), detector, every=step) for step in (EVERY, 1)
    )
    assert len(tracked.tracks) == len(every.tracks) == 1
    assert tracked.tracks[0].frame == every.tracks[0].frame == list(range(len(tracked.time)))
    points, others = (each.tracks[0].landmark for each in (tracked, every))
    assert np.median(np.linalg.norm(points - others, axis=2)) < 1.5
