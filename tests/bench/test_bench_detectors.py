import numpy as np
import pytest

from affectkit.bench import detectors, run_bench
from affectkit.bench.detectors import distance, mean_distance, measure_detectors, measure_jitter
from affectkit.errors import AffectkitError
from affectkit.faces import Detector

POINTS = np.stack([np.arange(68.0), np.zeros(68)], axis=1).astype(np.float32)


def brightness_detector(level: float) -> Detector:
    """Finds a face in bright pictures; its points move with the first pixel."""

    def detect(picture):
        box = np.float32([[0, 0, 10, 10], [0, 0, 30, 30]])
        return box, np.full(2, picture.mean() - level, np.float32)

    def landmarks(picture, boxes):
        if not len(boxes):
            return np.empty((0, 68, 2), np.float32)
        return np.stack([POINTS + np.array([picture[0, 0, 0], box[2]]) for box in boxes]).astype(
            np.float32
        )

    return Detector(detect, landmarks)


def test_distances_are_shares_of_the_distance_of_the_outer_eye_corners():
    assert distance(POINTS + np.array([3, 4]), POINTS) == pytest.approx(5 / 9)
    none, one, moved = POINTS[:0].reshape(0, 68, 2), POINTS[None], POINTS[None] + 3
    assert mean_distance([one, none, one], [one, one, moved]) == pytest.approx(18**0.5 / 18)
    # the other face is far away
    assert mean_distance([np.concatenate([one + 99, one])], [moved]) == pytest.approx(18**0.5 / 9)
    assert np.isnan(mean_distance([none, one], [one, one + 99]))


def test_faces_are_counted_and_the_points_of_the_largest_come_first():
    pictures = [np.full((4, 4, 3), grey, np.uint8) for grey in (0, 100, 200)]
    measured = measure_detectors({"one": brightness_detector(50)}, pictures)["one"]
    assert (measured.found, len(measured.seconds)) == (4, 3)
    assert measured.points[0].shape == (0, 68, 2)
    np.testing.assert_array_equal(measured.points[2][0], POINTS + np.array([200, 30]))


def test_jitter_is_that_of_the_noise_and_zero_without_a_face():
    pictures = [np.full((4, 4, 3), 100, np.uint8)] * 6
    jitter = measure_jitter(brightness_detector(50), pictures)
    assert 0.6 * 3 * 0.8 < 9 * jitter < 1.1 * 3 * 0.8  # mean of |normal| is 0.8 sigma
    assert np.isnan(measure_jitter(brightness_detector(255), pictures))


def test_the_table_has_synthetic_faces_and_names_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(detectors, "SUBJECTS", 1)
    monkeypatch.setattr(detectors, "STILLS", 1)
    monkeypatch.setattr(detectors, "missing_weights", lambda: ["a"])
    with pytest.raises(AffectkitError, match="expected a folder with videos or pictures"):
        run_bench("detectors", folder=tmp_path)
    rows = run_bench("detectors")
    dlib = rows[0]
    assert (dlib["pictures"], dlib["detector"], dlib["found"]) == ("synthetic (8)", "dlib", "8")
    assert dlib["from dlib"] == "0.00 %"
    assert 0 < float(dlib["from truth"].removesuffix(" %")) < 10
    assert "not measured: its weights are not in torch's hub folder" in rows[-1]["found"]
    assert len({tuple(row) for row in rows}) == 1
