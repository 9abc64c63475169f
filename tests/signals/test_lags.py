import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from affectkit.datasets import on_frames, synthetic
from affectkit.errors import AffectkitError
from affectkit.signals import fuse, rater_lag, undo_lag

FPS = 15
EVEN = np.arange(600) / FPS
FRAME = 1 / FPS
# what a hand's inertia adds to a rater's lag in the drawn people: a low-pass of 0.3 s, 4 frames
INERTIA = 4 / FPS


def emotion(time: np.ndarray) -> np.ndarray:
    """Waves (frame, affect) that do not repeat within a minute."""
    waves = [np.sin(1.3 * time) + np.sin(0.47 * time + 1), np.sin(0.9 * time) + np.cos(0.31 * time)]
    return np.stack(waves, axis=1) / 2


def ratings(lags: list[float], time: np.ndarray = EVEN) -> xr.DataArray:
    values = np.stack([emotion(time - lag) for lag in lags])
    coords = {"time": ("frame", time), "affect": ["valence", "arousal"]}
    return xr.DataArray(values, coords, ("rater", "frame", "affect"))


def uneven(seed: int = 0) -> np.ndarray:
    """Variable frame rate: 10 to 60 frames a second, and half a second without any."""
    time = np.cumsum(np.random.default_rng(seed).uniform(1 / 60, 1 / 10, 700))
    return np.where(time > 15, time + 0.5, time)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=3))
def test_lags_to_a_reference_are_found_finer_than_a_frame(lags):
    found = rater_lag(ratings(lags), ratings([0.0])[0], max_lag=3)
    assert found.dims == ("rater", "affect")
    np.testing.assert_allclose(found, np.tile(lags, (2, 1)).T, atol=FRAME / 5)


def test_an_uneven_frame_rate_changes_nothing():
    time = uneven()
    found = rater_lag(ratings([0.4, 1.7], time), ratings([0.0], time)[0], max_lag=3)
    np.testing.assert_allclose(found, [[0.4] * 2, [1.7] * 2], atol=0.01)


def test_without_a_reference_lags_count_from_the_raters_mean():
    found = rater_lag(ratings([0.2, 0.5, 0.8, 0.9]), max_lag=3)
    np.testing.assert_allclose(found, np.tile([-0.4, -0.1, 0.2, 0.3], (2, 1)).T, atol=0.03)


def test_two_raters_meet_half_way():
    rating = ratings([0.3, 0.7])
    found = rater_lag(rating)
    np.testing.assert_allclose(found, [[-0.2] * 2, [0.2] * 2], atol=0.01)
    moved = undo_lag(rating, found)
    np.testing.assert_allclose(moved[0, 20:-20], moved[1, 20:-20], atol=0.01)


def test_gaps_are_left_out():
    rating = ratings([0.6])
    rating[:, 100:180] = np.nan
    rating[:, 300:301, 1] = np.nan
    np.testing.assert_allclose(rater_lag(rating, ratings([0.0])[0]), [[0.6] * 2], atol=0.02)


@pytest.mark.parametrize("lag", [2.9, 3.5, -4])
def test_no_peak_within_the_bounds_is_no_lag(lag):
    found = rater_lag(ratings([lag]), ratings([0.0])[0], max_lag=3)
    assert np.isnan(found).all() if abs(lag) > 3 else np.allclose(found, lag, atol=0.02)


def test_who_says_nothing_has_no_lag():
    rating = ratings([0.1, 0.2, 0.3])
    rating[0], rating[1] = 0.5, np.nan
    assert np.isnan(rater_lag(rating, ratings([0.0])[0])[:2]).all()
    assert np.isnan(rater_lag(ratings([0.1])[:, :1])).all()
    assert np.isnan(rater_lag(ratings([0.1]))).all()


def test_labels_of_raters_are_kept():
    rating = ratings([0.1, 0.2]).assign_coords(rater=["ann", "ben"])
    assert list(rater_lag(rating)["rater"]) == ["ann", "ben"]
    assert list(undo_lag(rating, rater_lag(rating))["rater"]) == ["ann", "ben"]


@given(st.integers(0, 50))
def test_undoing_a_lag_of_whole_frames_moves_the_frames(frames):
    rating = ratings([0.0])
    moved = undo_lag(rating, frames / FPS)
    np.testing.assert_allclose(moved[:, : 600 - frames], rating[:, frames:])
    assert np.isnan(moved[:, 600 - frames :]).all()


def test_a_negative_lag_moves_later():
    moved = undo_lag(ratings([0.0]), -2 / FPS)
    np.testing.assert_allclose(moved[:, 2:], ratings([0.0])[:, :-2])
    assert np.isnan(moved[:, :2]).all()


def test_undoing_knows_uneven_frames_and_leaves_no_hole_where_there_was_none():
    time = uneven()
    moved = undo_lag(ratings([0.4], time), 0.4)
    known = ~np.isnan(moved.values)
    np.testing.assert_array_equal(known[0, :, 0], time + 0.4 <= time[-1])
    np.testing.assert_allclose(moved.values[known], emotion(time)[None][known], atol=0.1)


def test_an_unknown_frame_stays_unknown_where_it_moves_to():
    rating = ratings([0.0])
    rating[:, 100, 0] = np.nan
    moved = undo_lag(rating, 10 / FPS)
    assert np.flatnonzero(np.isnan(moved[0, :590, 0])).tolist() == [90]
    assert not np.isnan(moved[0, :590, 1]).any()


def test_what_cannot_be_moved_is_refused():
    with pytest.raises(AffectkitError, match="a lag is NaN"):
        undo_lag(ratings([0.0]), np.nan)
    with pytest.raises(AffectkitError, match="no time stamps: expected a coordinate 'time'"):
        undo_lag(ratings([0.0]).drop_vars("time"), 1)
    with pytest.raises(AffectkitError, match="max_lag should be more than 0 seconds, is 0"):
        rater_lag(ratings([0.0]), max_lag=0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> tuple[xr.DataArray, xr.Dataset]:
    """A drawn person's ratings, and what is true of that person."""
    root = tmp_path_factory.mktemp("lags") / "drawn"
    synthetic.write(root, people=(1, 0, 0), seconds=30, fps=FPS, size=32, workers=1)
    truth = synthetic.truth(root, "person_000")
    rating = on_frames(synthetic.annotations(root, "person_000"), truth["time"].values)["rating"]
    return rating, truth


def test_drawn_raters_follow_the_emotion_as_late_as_they_were_made(drawn):
    rating, truth = drawn
    found = rater_lag(rating, truth["emotion"])
    np.testing.assert_allclose(found - (truth["lag"] + INERTIA), 0, atol=FRAME)


def test_drawn_raters_are_as_far_apart_as_they_were_made(drawn):
    rating, truth = drawn
    apart = truth["lag"] - truth["lag"].mean()
    np.testing.assert_allclose(rater_lag(rating) - apart, 0, atol=FRAME / 2)


def test_undoing_the_lags_of_drawn_raters_brings_them_to_the_emotion(drawn):
    rating, truth = drawn
    lags = rater_lag(rating, truth["emotion"]).mean("affect")
    error = abs(fuse(rating) - truth["emotion"]).mean()
    undone = abs(fuse(undo_lag(rating, lags)) - truth["emotion"]).mean()
    assert undone < error / 3
