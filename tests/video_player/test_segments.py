from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from affectkit.recording import make_recording
from affectkit.video_player.segments import LONGEST, SHORTEST, opening_frame, worst_segments

FPS = 25
SECONDS = 60


def pair(valence: np.ndarray, predicted: np.ndarray, detected: np.ndarray | None = None):
    """A recording and a prediction that differ in valence only."""
    still = np.zeros_like(valence)
    time = np.arange(len(valence)) / FPS
    seen = np.ones(len(valence), bool) if detected is None else detected
    annotation = np.stack([valence, still], 1).astype(np.float32)
    variables = {"annotation": annotation, "detected": seen}
    recording = make_recording(time, variables, {"recording": "synthetic"})
    values = np.stack([predicted, still], 1).astype(np.float32)
    coords = {"frame": recording["frame"], "affect": recording["affect"]}
    prediction = xr.Dataset({"prediction": (("frame", "affect"), values)}, coords)
    return recording, prediction


def waves() -> np.ndarray:
    time = np.arange(SECONDS * FPS) / FPS
    return 0.5 * np.sin(time) + 0.2 * np.sin(0.37 * time)


def test_the_segment_contains_the_peak_of_the_error():
    truth = np.zeros(SECONDS * FPS)
    estimate = truth.copy()
    estimate[20 * FPS : 24 * FPS] = 0.6
    worst = worst_segments(*pair(truth, estimate))[0]
    assert worst.target == "valence"
    assert worst.start == pytest.approx(20, abs=1)
    assert worst.stop == pytest.approx(24, abs=1)
    assert worst.share > 0.9


def test_segments_are_sorted_limited_in_length_and_disjoint():
    found = worst_segments(*pair(waves(), 0.3 * waves()))
    shares = [segment.share for segment in found]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1
    assert all(SHORTEST - 0.2 <= s.stop - s.start <= LONGEST + 0.2 for s in found)
    ordered = sorted(found)
    assert all(a.stop < b.start for a, b in pairwise(ordered))


@pytest.mark.parametrize(
    ("estimate", "cause"),
    [
        (waves() + 0.4, "bias"),
        (0.3 * waves(), "range"),
        (np.roll(waves(), round(0.8 * FPS)), "delay"),
    ],
)
def test_the_cause_is_the_simulated_error(estimate, cause):
    found = worst_segments(*pair(waves(), estimate))
    assert {segment.cause for segment in found[:3]} == {cause}


def test_an_error_that_no_correction_removes_is_rest():
    estimate = waves()
    estimate[500:620] += 0.9
    assert worst_segments(*pair(waves(), estimate))[0].cause == "other"


def test_a_short_peak_of_the_prediction_is_a_jump():
    estimate = waves()
    estimate[500:508] += 0.9
    worst = worst_segments(*pair(waves(), estimate))[0]
    assert worst.cause == "jump"


def test_a_segment_without_a_face_is_face_lost():
    estimate, detected = waves(), np.ones(SECONDS * FPS, bool)
    estimate[400:520] += 0.5
    detected[390:530] = False
    worst = worst_segments(*pair(waves(), estimate, detected))[0]
    assert worst.cause == "face lost"


def test_unannotated_frames_and_missing_predictions_make_no_error():
    truth, estimate = waves(), waves()
    truth[100:200] = np.nan
    estimate[400:500] = np.nan
    estimate[800:900] += 0.5
    found = worst_segments(*pair(truth, estimate))
    assert [round(segment.start) for segment in found] in ([32], [31])


def test_a_recording_without_annotation_has_no_segments():
    truth = np.full(100, np.nan)
    recording, prediction = pair(truth, np.zeros(100))
    recording["annotation"][:] = np.nan
    assert worst_segments(recording, prediction) == []
    assert opening_frame(recording, []) == 0


def test_a_recording_of_one_frame_works():
    assert len(worst_segments(*pair(np.array([0.5]), np.array([0.0])))) == 1


def test_the_opening_frame_is_the_middle_of_the_worst_segment():
    estimate = waves()
    estimate[600:650] += 0.5
    recording, prediction = pair(waves(), estimate)
    assert opening_frame(recording, worst_segments(recording, prediction)) == pytest.approx(
        625, abs=8
    )
