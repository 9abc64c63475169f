import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.signals import resample

TIME = np.arange(6) / 10
RAMP = np.array([0.0, 1, 2, 3, 4, 5])
METHODS = st.sampled_from(["linear", "nearest"])
STAMPS = st.lists(st.integers(0, 10_000), min_size=1, max_size=40, unique=True).map(
    lambda stamps: np.sort(stamps) / 1000
)


def test_linear_interpolates_between_the_samples():
    at = np.array([0.0, 0.04, 0.08, 0.1, 0.25, 0.5])
    np.testing.assert_allclose(resample(RAMP, TIME, at), [0, 0.4, 0.8, 1, 2.5, 5])


def test_nearest_takes_the_nearest_sample_and_the_earlier_of_two():
    at = np.array([0.04, 0.05, 0.051, 0.1, 0.46])
    np.testing.assert_array_equal(resample(RAMP, TIME, at, "nearest"), [0, 0, 1, 1, 5])


@given(STAMPS, METHODS)
def test_equal_time_stamps_keep_the_values(time, method):
    values = np.random.default_rng(0).normal(size=(len(time), 2))
    values[np.random.default_rng(1).random(values.shape) < 0.3] = np.nan
    np.testing.assert_array_equal(resample(values, time, time, method), values)


@given(STAMPS.filter(lambda time: len(time) > 1), STAMPS, METHODS)
def test_values_are_in_the_range_of_the_samples(time, at, method):
    values = np.random.default_rng(0).uniform(-1, 1, len(time))
    read = resample(values, time, at, method)
    known = ~np.isnan(read)
    assert (read[known] >= values.min() - 1e-12).all()
    assert (read[known] <= values.max() + 1e-12).all()
    distance = np.abs(at[:, None] - time).min(axis=1)
    assert not known[distance > 1.5 * np.median(np.diff(time)) + 1e-5].any()


def test_rounded_time_stamps_are_equal():
    values = np.array([np.nan, 1, 2, np.nan])
    time = np.arange(4) * 0.1
    np.testing.assert_array_equal(resample(values, time, np.array([0.1, 0.2, 0.3])), [1, 2, np.nan])


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_nan_does_not_spread_to_other_samples(method):
    values = np.array([0, 1, np.nan, 3, 4, 5])
    at = np.array([0.1, 0.12, 0.19, 0.2, 0.28, 0.3, 0.34])
    read = resample(values, TIME, at, method)
    between = {"linear": [1, np.nan, np.nan, np.nan, np.nan, 3, 3.4],
               "nearest": [1, 1, np.nan, np.nan, 3, 3, 3]}  # fmt: skip
    np.testing.assert_allclose(read, between[method])


def test_signals_are_resampled_separately():
    values = np.stack([RAMP, np.where(RAMP == 2, np.nan, RAMP)], axis=1)
    read = resample(values, TIME, np.array([0.15]))
    assert read.shape == (1, 2)
    assert read[0, 0] == pytest.approx(1.5)
    assert np.isnan(read[0, 1])


def test_beyond_the_ends_the_default_distance_is_half_a_step():
    at = np.array([-0.06, -0.05, 0.55, 0.56])
    np.testing.assert_array_equal(resample(RAMP, TIME, at), [np.nan, 0, 5, np.nan])


def test_frames_beyond_the_maximum_distance_are_nan():
    time = np.array([0, 0.1, 0.2, 1.2, 1.3])
    values = np.array([0, 1, 2, 12, 13.0])
    at = np.array([0.34, 0.36, 0.7, 1.04, 1.06])
    np.testing.assert_allclose(resample(values, time, at), [3.4, np.nan, np.nan, np.nan, 10.6])
    np.testing.assert_allclose(
        resample(values, time, at, max_distance=1), [3.4, 3.6, 7, 10.4, 10.6]
    )
    assert np.isnan(resample(values, time, at, "nearest", max_distance=0.1)).all()


def test_max_distance_applies_beyond_the_ends_too():
    np.testing.assert_array_equal(
        resample(RAMP, TIME, np.array([-0.3, -0.2, 0.7]), max_distance=0.2), [np.nan, 0, 5]
    )


def test_a_variable_frame_rate_uses_its_own_time_stamps():
    at = np.cumsum(np.random.default_rng(3).uniform(0.01, 0.07, 100))
    time = np.arange(0, 5, 0.1)
    np.testing.assert_allclose(resample(3 * time - 1, time, at), 3 * at - 1)


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_a_single_sample_is_used_at_its_time_stamp_only(method):
    read = resample(np.array([[7.0, 8]]), np.array([1.0]), np.array([0.9, 1.0]), method)
    np.testing.assert_array_equal(read, [[np.nan, np.nan], [7, 8]])


def test_no_samples_give_nan():
    assert np.isnan(resample(np.empty((0, 2)), np.empty(0), TIME)).all()


def test_frames_with_a_nan_time_stamp_are_nan():
    np.testing.assert_array_equal(resample(RAMP, TIME, np.array([0.1, np.nan])), [1, np.nan])


def test_invalid_arguments_are_an_error():
    with pytest.raises(AffectkitError, match="did you mean 'nearest'"):
        resample(RAMP, TIME, TIME, "neares")
    with pytest.raises(AffectkitError, match="should increase"):
        resample(RAMP, TIME[::-1], TIME)
