import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from affectkit.datasets import align_to_frames, synthetic
from affectkit.errors import AffectkitError
from affectkit.signals import compensate_delay, fuse, rater_delay

FPS = 15
EVEN = np.arange(600) / FPS
FRAME = 1 / FPS
# delay of the low-pass filter (0.3 s) of the synthetic raters' hand movement: 4 frames
INERTIA = 4 / FPS


def emotion(time: np.ndarray) -> np.ndarray:
    """Waves (frame, affect) that do not repeat within a minute."""
    waves = [np.sin(1.3 * time) + np.sin(0.47 * time + 1), np.sin(0.9 * time) + np.cos(0.31 * time)]
    return np.stack(waves, axis=1) / 2


def ratings(delays: list[float], time: np.ndarray = EVEN) -> xr.DataArray:
    values = np.stack([emotion(time - delay) for delay in delays])
    coords = {"time": ("frame", time), "affect": ["valence", "arousal"]}
    return xr.DataArray(values, coords, ("rater", "frame", "affect"))


def uneven(seed: int = 0) -> np.ndarray:
    """Variable frame rate: 10 to 60 frames a second, and half a second without any."""
    time = np.cumsum(np.random.default_rng(seed).uniform(1 / 60, 1 / 10, 700))
    return np.where(time > 15, time + 0.5, time)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=3))
def test_delays_relative_to_a_reference_are_found_to_a_fraction_of_a_frame(delays):
    found = rater_delay(ratings(delays), ratings([0.0])[0], max_delay=3)
    assert found.dims == ("rater", "affect")
    np.testing.assert_allclose(found, np.tile(delays, (2, 1)).T, atol=FRAME / 5)


def test_a_variable_frame_rate_does_not_change_delays():
    time = uneven()
    found = rater_delay(ratings([0.4, 1.7], time), ratings([0.0], time)[0], max_delay=3)
    np.testing.assert_allclose(found, [[0.4] * 2, [1.7] * 2], atol=0.01)


def test_without_a_reference_delays_are_relative_to_their_mean():
    found = rater_delay(ratings([0.2, 0.5, 0.8, 0.9]), max_delay=3)
    np.testing.assert_allclose(found, np.tile([-0.4, -0.1, 0.2, 0.3], (2, 1)).T, atol=0.03)


def test_two_raters_are_shifted_by_half_their_difference():
    rating = ratings([0.3, 0.7])
    found = rater_delay(rating)
    np.testing.assert_allclose(found, [[-0.2] * 2, [0.2] * 2], atol=0.01)
    moved = compensate_delay(rating, found)
    np.testing.assert_allclose(moved[0, 20:-20], moved[1, 20:-20], atol=0.01)


def test_missing_ratings_are_left_out():
    rating = ratings([0.6])
    rating[:, 100:180] = np.nan
    rating[:, 300:301, 1] = np.nan
    np.testing.assert_allclose(rater_delay(rating, ratings([0.0])[0]), [[0.6] * 2], atol=0.02)


@pytest.mark.parametrize("delay", [2.9, 3.5, -4])
def test_the_delay_is_nan_without_a_peak_in_the_search_range(delay):
    found = rater_delay(ratings([delay]), ratings([0.0])[0], max_delay=3)
    assert np.isnan(found).all() if abs(delay) > 3 else np.allclose(found, delay, atol=0.02)


def test_constant_or_missing_ratings_have_a_nan_delay():
    rating = ratings([0.1, 0.2, 0.3])
    rating[0], rating[1] = 0.5, np.nan
    assert np.isnan(rater_delay(rating, ratings([0.0])[0])[:2]).all()
    assert np.isnan(rater_delay(ratings([0.1])[:, :1])).all()
    assert np.isnan(rater_delay(ratings([0.1]))).all()


def test_labels_of_raters_are_kept():
    rating = ratings([0.1, 0.2]).assign_coords(rater=["ann", "ben"])
    assert list(rater_delay(rating)["rater"]) == ["ann", "ben"]
    assert list(compensate_delay(rating, rater_delay(rating))["rater"]) == ["ann", "ben"]


@given(st.integers(0, 50))
def test_compensating_a_delay_of_whole_frames_shifts_the_frames(frames):
    rating = ratings([0.0])
    moved = compensate_delay(rating, frames / FPS)
    np.testing.assert_allclose(moved[:, : 600 - frames], rating[:, frames:])
    assert np.isnan(moved[:, 600 - frames :]).all()


def test_a_negative_delay_shifts_later():
    moved = compensate_delay(ratings([0.0]), -2 / FPS)
    np.testing.assert_allclose(moved[:, 2:], ratings([0.0])[:, :-2])
    assert np.isnan(moved[:, :2]).all()


def test_compensation_with_a_variable_frame_rate_adds_no_gaps():
    time = uneven()
    moved = compensate_delay(ratings([0.4], time), 0.4)
    known = ~np.isnan(moved.values)
    np.testing.assert_array_equal(known[0, :, 0], time + 0.4 <= time[-1])
    np.testing.assert_allclose(moved.values[known], emotion(time)[None][known], atol=0.1)


def test_a_missing_rating_stays_missing_after_the_shift():
    rating = ratings([0.0])
    rating[:, 100, 0] = np.nan
    moved = compensate_delay(rating, 10 / FPS)
    assert np.flatnonzero(np.isnan(moved[0, :590, 0])).tolist() == [90]
    assert not np.isnan(moved[0, :590, 1]).any()


def test_invalid_arguments_are_an_error():
    with pytest.raises(AffectkitError, match="a delay is NaN"):
        compensate_delay(ratings([0.0]), np.nan)
    with pytest.raises(AffectkitError, match="no time stamps: expected a coordinate 'time'"):
        compensate_delay(ratings([0.0]).drop_vars("time"), 1)
    with pytest.raises(AffectkitError, match="max_delay should be more than 0 seconds, got 0"):
        rater_delay(ratings([0.0]), max_delay=0)


@pytest.fixture(scope="module")
def subject(tmp_path_factory) -> tuple[xr.DataArray, xr.Dataset]:
    """Ratings of a synthetic subject, and the ground truth."""
    root = tmp_path_factory.mktemp("delays") / "synthetic"
    synthetic.write_synthetic(root, subjects=(1, 0, 0), seconds=30, fps=FPS, size=32, workers=1)
    truth = synthetic.ground_truth(root, "person_000")
    rating = align_to_frames(synthetic.annotations(root, "person_000"), truth["time"].values)[
        "rating"
    ]
    return rating, truth


def test_delays_of_synthetic_raters_equal_the_ground_truth(subject):
    rating, truth = subject
    found = rater_delay(rating, truth["emotion"])
    np.testing.assert_allclose(found - (truth["delay"] + INERTIA), 0, atol=FRAME)


def test_relative_delays_of_synthetic_raters_equal_the_ground_truth(subject):
    rating, truth = subject
    apart = truth["delay"] - truth["delay"].mean()
    np.testing.assert_allclose(rater_delay(rating) - apart, 0, atol=FRAME / 2)


def test_compensating_the_delays_of_synthetic_raters_reduces_the_error(subject):
    rating, truth = subject
    delays = rater_delay(rating, truth["emotion"]).mean("affect")
    error = abs(fuse(rating) - truth["emotion"]).mean()
    compensated = abs(fuse(compensate_delay(rating, delays)) - truth["emotion"]).mean()
    assert compensated < error / 3
