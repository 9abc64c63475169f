import numpy as np
import pytest

from affectkit.datasets.synthetic import MOVEMENT, ground_truth, movement_effect
from affectkit.datasets.synthetic.landmarks import landmarks
from affectkit.datasets.synthetic.rendering import render_face
from affectkit.datasets.synthetic.subject import random_subject
from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.video import read_frames

SUBJECT = random_subject(np.random.default_rng(3), 256)
REST = dict.fromkeys(MOVEMENT, 0.0)
X, Y = 0, 1


def moved(**movement: float) -> np.ndarray:
    """How far each landmark moves from rest (point, axis), in pixels."""
    return landmarks(SUBJECT, REST | movement) - landmarks(SUBJECT, REST)


def test_smile_raises_and_widens_the_mouth():
    left, right = moved(AU12=1.0)[[48, 54]]
    assert left[Y] < -5
    assert right[Y] < -5
    assert left[X] < 0 < right[X]


@pytest.mark.parametrize(
    ("movement", "points", "sign"),
    [
        ("AU15", [48, 54], 1),
        ("AU4", [20, 21, 22, 23], 1),
        ("AU5", [37, 38, 43, 44], -1),
        ("AU26", [8, 57, 66], 1),
        ("blink", [37, 38, 43, 44], 1),
        ("down", list(range(68)), 1),
    ],
)
def test_each_movement_moves_its_points_up_or_down(movement, points, sign):
    assert (sign * moved(**{movement: 0.5})[points, Y] > 1).all()


def test_a_turn_to_the_right_moves_the_nose_further_than_the_ears():
    turned = moved(yaw=0.2)
    assert turned[30, X] > turned[[0, 16], X].max() > -5


def test_blink_hides_the_eye_and_nothing_below_the_nose():
    change = np.abs(
        render_face(SUBJECT, REST | {"blink": 1.0}).astype(int) - render_face(SUBJECT, REST)
    )
    eye, nose = landmarks(SUBJECT, REST)[36:42].mean(axis=0), landmarks(SUBJECT, REST)[33]
    assert change[int(eye[Y]), int(eye[X])].max() > 30
    assert change[int(nose[Y]) :].max() == 0


def test_ground_truth_is_labelled_and_belongs_to_the_video(detectable):
    causes = ground_truth(detectable, "person_001")
    (time, rgb), *_ = read_frames(detectable / "batch1" / "person_001.mp4")
    assert dict(causes.sizes) == {
        "frame": 10, "affect": 2, "movement": 11, "point": 68, "axis": 2, "rater": 3
    }  # fmt: skip
    np.testing.assert_allclose(causes["time"], time, atol=1e-6)
    assert rgb.shape[0] == 10


def test_movement_effect_is_local(detectable):
    strength = ground_truth(detectable, "person_000")["strength"]
    frame = int(strength.sel(movement="AU26").argmax("frame"))
    change = movement_effect(detectable, "person_000", [frame], ["AU26", "AU5"]).isel(frame=0)
    mouth = (
        ground_truth(detectable, "person_000")["landmark"]
        .sel(frame=frame)[60:68]
        .mean("point")
        .values
    )
    rows = change.sel(movement="AU26").sum("col")
    assert abs(float((rows * np.arange(256)).sum() / rows.sum()) - mouth[Y]) < 40
    assert float(change.sel(movement="AU5").isel(row=slice(int(mouth[Y]), None)).max()) == 0


def test_an_absent_movement_has_no_effect(detectable):
    strength = ground_truth(detectable, "person_000")["strength"].sel(movement="AU12")
    calm = strength["frame"].values[strength == 0]
    assert len(calm) > 0
    assert movement_effect(detectable, "person_000", calm[:2].tolist(), ["AU12"]).max() == 0


def test_the_detector_finds_the_true_landmarks(detectable):
    detector = load_detector("dlib")
    for name in ("person_000", "person_001"):
        (_, rgb), *_ = read_frames(detectable / "batch1" / f"{name}.mp4")
        found = np.concatenate(
            [detector.landmarks(picture, detector.detect(picture)[0]) for picture in rgb]
        )
        true = ground_truth(detectable, name)["landmark"]
        between_eyes = np.linalg.norm(true[:, 45] - true[:, 36], axis=1)
        error = np.linalg.norm(found - true.values, axis=2).mean(axis=1) / between_eyes
        assert np.isfinite(found).all()
        assert error.mean() < 0.05


def test_unknown_subject_and_movement_are_named(detectable):
    with pytest.raises(AffectkitError, match="unknown subject 'person_009'"):
        ground_truth(detectable, "person_009")
    with pytest.raises(AffectkitError, match="unknown movement 'AU99'"):
        movement_effect(detectable, "person_000", [0], ["AU99"])
