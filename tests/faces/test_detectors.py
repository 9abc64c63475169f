from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import DETECTORS, Detector, largest_face, load_detector, track_faces
from affectkit.faces.detector import detect_near
from affectkit.faces.tracking import DETECT_EVERY
from affectkit.faces.tracks import intersection_over_union
from affectkit.video import read_frames
from tests.conftest import REAL


@pytest.fixture(scope="module")
def synthetic_face(tmp_path_factory) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (frame, row, col, channel) of a synthetic subject and the true landmarks."""
    root = synthetic.write_synthetic(
        tmp_path_factory.mktemp("synthetic") / "data",
        subjects=(0, 0, 1),
        seconds=2,
        fps=6,
        workers=1,
    )
    row = synthetic.index(root).iloc[0]
    _, rgb = next(read_frames(Path(row["video"])))
    return rgb, synthetic.ground_truth(root, row["recording"])["landmark"].values[: len(rgb)]


def test_dlib_detects_synthetic_faces_and_their_landmarks(synthetic_face):
    rgb, truth = synthetic_face
    detector = load_detector("dlib")
    for picture, true in zip(rgb, truth, strict=True):
        box, score = detector.detect(picture)
        landmark = detector.landmarks(picture, box)
        assert (box.dtype, box.shape) == (np.float32, (1, 4))
        assert detector.is_confident(score).tolist() == [True]
        assert (landmark.dtype, landmark.shape) == (np.float32, (1, 68, 2))
        eyes = np.linalg.norm(true[36] - true[45])
        assert np.linalg.norm(landmark[0] - true, axis=1).mean() < 0.1 * eyes
        middle = landmark[0].mean(axis=0)
        assert ((box[0, :2] < middle) & (middle < box[0, 2:])).all()


def test_dlib_detects_nothing_without_a_face(synthetic_face):
    detector = load_detector("dlib")
    grey = np.full_like(synthetic_face[0][0], 127)
    box, score = detector.detect(grey)
    assert (box.shape, score.shape) == ((0, 4), (0,))
    assert detector.landmarks(grey, box).shape == (0, 68, 2)


def test_landmarks_are_fitted_in_any_box_independently(synthetic_face):
    rgb, _ = synthetic_face
    detector = load_detector("dlib")
    box, _ = detector.detect(rgb[0])
    both = detector.landmarks(rgb[0], np.concatenate([box + 3, box]))
    np.testing.assert_array_equal(both[1], detector.landmarks(rgb[0], box)[0])
    assert 0 < np.abs(both[0] - both[1]).max() < 12


def test_the_largest_face_is_one_with_confidence():
    boxes = np.float32([[0, 0, 50, 50], [100, 0, 160, 60], [0, 0, 90, 90]])

    def landmarks(picture, boxes):
        return np.repeat(boxes[:, None, :2], 68, axis=1)

    scores = np.float32([0.7, 0.6, 0.5])
    confident = Detector(lambda picture: (boxes, scores), landmarks, 0.5)
    box, landmark, score = largest_face(confident, np.zeros((8, 8, 3), np.uint8))
    np.testing.assert_array_equal(box, boxes[1])
    np.testing.assert_array_equal(landmark, [[100, 0]] * 68)
    assert score == scores[1]
    unconfident = Detector(lambda picture: (boxes, scores), landmarks, 0.8)
    box, landmark, score = largest_face(unconfident, np.zeros((8, 8, 3), np.uint8))
    assert np.isnan(box).all()
    assert np.isnan(landmark).all()
    assert np.isnan(score)


def test_an_unknown_detector_or_option_lists_the_known_ones():
    with pytest.raises(AffectkitError, match="did you mean 'dlib'"):
        load_detector("dlip")
    with pytest.raises(AffectkitError, match=r"option of detector 'dlib' 'size'.*upsample"):
        load_detector("dlib", size=3)
    assert list(DETECTORS) == ["dlib", "face-alignment", "blazeface"]


def test_a_missing_or_invalid_predictor_file_is_named(tmp_path):
    with pytest.raises(AffectkitError, match="68-point"):
        load_detector("dlib", predictor=tmp_path / "none.dat")
    (tmp_path / "text.dat").write_text("not a predictor")
    with pytest.raises(AffectkitError, match=r"text\.dat is not a 68-point shape predictor"):
        load_detector("dlib", predictor=tmp_path / "text.dat")


@pytest.fixture
def large(subjects) -> np.ndarray:
    """A picture of 768 x 960 pixels with a face of about 100 pixels and one of about 400."""
    picture = np.full((768, 960, 3), 95, np.uint8)
    picture[10:202, 700:892] = subjects[0].rgb[0]
    picture[:, :690] = subjects[1].rgb[0].repeat(4, axis=0).repeat(4, axis=1)[:, :690]
    return picture


def test_detection_near_a_face_agrees_with_detection_in_the_whole_picture(large):
    detector = load_detector("dlib")
    boxes, _ = detector.detect(large)
    assert len(boxes) == 2
    for box in boxes:
        searched = []
        recording = replace(
            detector,
            detect=lambda rgb, searched=searched: searched.append(rgb) or detector.detect(rgb),
        )
        found, score = detect_near(recording, large, box[None] + 10)
        assert detector.is_confident(score).any()
        # sizes of dlib's boxes differ in steps of a fifth
        assert intersection_over_union(found, box[None]).max() > 0.6
        assert searched[0].shape[0] * searched[0].shape[1] < large[..., 0].size / 2


def test_boxes_from_a_part_are_in_coordinates_of_the_whole_picture():
    def detect(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.float32([[0, 0, picture.shape[1], picture.shape[0]]]), np.ones(1, np.float32)

    picture = np.zeros((1000, 2000, 3), np.uint8)
    detector = Detector(detect, lambda picture, boxes: boxes)
    for expected, searched in (
        ([[500, 300, 600, 400]], [400, 200, 700, 500]),  # one width around it, not resized
        ([[500, 300, 820, 620]], [180, 0, 1140, 940]),  # halved, and up to the edge
        ([[0, 0, 100, 100], [1900, 900, 2000, 1000]], [0, 0, 2000, 1000]),
        ([[-50, -50, 50, 50]], [0, 0, 150, 150]),
    ):
        box, _ = detect_near(detector, picture, np.float32(expected))
        np.testing.assert_allclose(box, [searched], rtol=1e-6)


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="needs the real clips in shared/real")
@pytest.mark.parametrize(
    "name",
    [
        "WolfgangLanger_Pexels.mp4",
        "single_face.mp4",
        "head-pose-face-detection-female.gif",
        "head-pose-face-detection-male.gif",
    ],
)
def test_tracking_of_a_real_face_agrees_with_detection_on_every_frame(name):
    detector, clip = load_detector("dlib"), REAL / name
    # four seconds are enough
    tracked, every = (
        track_faces(islice(read_frames(clip), 3), detector, detect_every=step)
        for step in (DETECT_EVERY, 1)
    )
    assert len(tracked.tracks) == len(every.tracks) == 1
    assert tracked.tracks[0].frame == every.tracks[0].frame == list(range(len(tracked.time)))
    points, others = (each.tracks[0].landmark for each in (tracked, every))
    assert np.median(np.linalg.norm(points - others, axis=2)) < 1.5
