import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from affectkit.errors import AffectkitError
from affectkit.signals import interpolate_gaps, smooth, smooth_saliency

TIME = np.arange(100) / 25


def test_a_short_gap_is_interpolated_linearly_in_time():
    time = np.array([0, 0.1, 0.4, 0.5])
    np.testing.assert_allclose(
        interpolate_gaps(np.array([0, np.nan, np.nan, 5]), time, 1), [0, 1, 4, 5]
    )


def test_a_gap_longer_than_max_gap_stays_nan():
    values = np.sin(TIME)
    values[10:40] = np.nan
    values[60:62] = np.nan
    filled = interpolate_gaps(values, TIME, max_gap=1.0)
    assert np.isnan(filled[10:40]).all()
    assert np.isfinite(np.delete(filled, np.arange(10, 40))).all()


def test_the_length_of_a_gap_is_in_seconds_between_known_frames():
    values = np.ones(100)
    values[10:34] = np.nan  # known at 0.36 and 1.36 s
    assert np.isfinite(interpolate_gaps(values, TIME, 1.0)).all()
    assert np.isnan(interpolate_gaps(values, TIME, 0.99)).any()


def test_short_gaps_at_the_ends_take_the_nearest_value():
    values = np.full(100, np.nan)
    values[5:90] = TIME[5:90]
    filled = interpolate_gaps(values, TIME, 0.3)
    np.testing.assert_allclose(filled[:5], TIME[5])
    assert np.isnan(filled[90:]).all()


def test_a_frame_is_missing_if_any_of_its_values_is_nan():
    values = np.ones((4, 2))
    values[1, 0] = np.nan
    values[1, 1] = 9
    np.testing.assert_allclose(interpolate_gaps(values, TIME[:4], 1), 1)


def test_all_nan_stays_nan():
    assert np.isnan(interpolate_gaps(np.full((5, 2), np.nan), TIME[:5], 9)).all()
    assert np.isnan(smooth(np.full((5, 2), np.nan), TIME[:5], 1)).all()


def test_at_a_constant_rate_smoothing_equals_the_gaussian_filter_of_scipy():
    values = np.random.default_rng(0).normal(size=(100, 3))
    expected = gaussian_filter1d(values, 0.4 * 25, axis=0, mode="reflect")
    np.testing.assert_allclose(smooth(values, TIME, 0.4), expected, atol=1e-9)


def test_smoothing_depends_little_on_the_frame_rate():
    uneven = np.unique(np.concatenate([np.arange(0, 2, 0.01), np.arange(2, 4, 0.07)]))
    even = np.arange(0, 4, 0.02)
    smoothed = smooth(np.sin(5 * uneven), uneven, 0.3)
    expected = np.interp(uneven, even, smooth(np.sin(5 * even), even, 0.3))
    inner = (uneven > 1) & (uneven < 3)
    np.testing.assert_allclose(smoothed[inner], expected[inner], atol=0.02)


def test_segments_between_gaps_are_smoothed_separately():
    values = np.zeros(100)
    values[40:60] = np.nan
    values[60:] = 7
    smoothed = smooth(values, TIME, 0.5)
    np.testing.assert_allclose(smoothed[:40], 0, atol=1e-12)
    np.testing.assert_allclose(smoothed[60:], 7)
    assert np.isnan(smoothed[40:60]).all()


@given(st.floats(-100, 100), st.floats(0, 20), st.integers(1, 30))
def test_a_constant_is_unchanged(value, sigma, count):
    np.testing.assert_allclose(smooth(np.full(count, value), TIME[:count], sigma), value)


def test_sigma_0_changes_nothing():
    values = np.random.default_rng(0).normal(size=100)
    np.testing.assert_array_equal(smooth(values, TIME, 0), values)


def test_invalid_time_stamps_are_an_error():
    with pytest.raises(AffectkitError, match="got 3 frames of values but 2 time stamps"):
        smooth(np.ones(3), TIME[:2], 1)
    with pytest.raises(AffectkitError, match="should increase"):
        interpolate_gaps(np.ones(2), np.array([1.0, 1.0]), 1)


def test_smooth_saliency_keeps_the_sum_and_cancels_alternating_signs():
    spot = np.zeros((2, 64, 64), np.float32)
    spot[0, 32, 32] = 1
    soft = smooth_saliency(spot)
    assert soft[0].sum() == pytest.approx(1, abs=1e-5)
    assert soft[0].max() == pytest.approx(1 / (2 * np.pi * 2**2), rel=0.02)
    assert not soft[1].any()
    rows, columns = np.indices((64, 64))
    checks = np.where((rows + columns) % 2, 1.0, -1.0)[None]
    assert np.abs(smooth_saliency(checks)[0, 8:-8, 8:-8]).max() < 1e-3
