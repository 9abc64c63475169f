import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from affectkit.errors import AffectkitError
from affectkit.signals import bridge, smooth

TIME = np.arange(100) / 25


def test_a_short_gap_is_bridged_by_a_line_in_time():
    time = np.array([0, 0.1, 0.4, 0.5])
    np.testing.assert_allclose(bridge(np.array([0, np.nan, np.nan, 5]), time, 1), [0, 1, 4, 5])


def test_a_gap_longer_than_allowed_stays_nan_whole():
    values = np.sin(TIME)
    values[10:40] = np.nan
    values[60:62] = np.nan
    bridged = bridge(values, TIME, max_gap=1.0)
    assert np.isnan(bridged[10:40]).all()
    assert np.isfinite(np.delete(bridged, np.arange(10, 40))).all()


def test_the_gap_counts_in_seconds_between_known_frames():
    values = np.ones(100)
    values[10:34] = np.nan  # known at 0.36 and 1.36 s
    assert np.isfinite(bridge(values, TIME, 1.0)).all()
    assert np.isnan(bridge(values, TIME, 0.99)).any()


def test_short_gaps_at_the_ends_take_the_nearest_value():
    values = np.full(100, np.nan)
    values[5:90] = TIME[5:90]
    bridged = bridge(values, TIME, 0.3)
    np.testing.assert_allclose(bridged[:5], TIME[5])
    assert np.isnan(bridged[90:]).all()


def test_a_frame_is_missing_where_one_of_its_values_is():
    values = np.ones((4, 2))
    values[1, 0] = np.nan
    values[1, 1] = 9
    np.testing.assert_allclose(bridge(values, TIME[:4], 1), 1)


def test_nothing_known_stays_nothing():
    assert np.isnan(bridge(np.full((5, 2), np.nan), TIME[:5], 9)).all()
    assert np.isnan(smooth(np.full((5, 2), np.nan), TIME[:5], 1)).all()


def test_at_an_even_rate_smoothing_is_the_usual_gaussian_filter():
    values = np.random.default_rng(0).normal(size=(100, 3))
    expected = gaussian_filter1d(values, 0.4 * 25, axis=0, mode="reflect")
    np.testing.assert_allclose(smooth(values, TIME, 0.4), expected, atol=1e-9)


def test_the_rate_of_frames_hardly_changes_a_smoothed_trace():
    uneven = np.unique(np.concatenate([np.arange(0, 2, 0.01), np.arange(2, 4, 0.07)]))
    even = np.arange(0, 4, 0.02)
    smoothed = smooth(np.sin(5 * uneven), uneven, 0.3)
    expected = np.interp(uneven, even, smooth(np.sin(5 * even), even, 0.3))
    inner = (uneven > 1) & (uneven < 3)
    np.testing.assert_allclose(smoothed[inner], expected[inner], atol=0.02)


def test_smoothing_does_not_leak_over_a_gap():
    values = np.zeros(100)
    values[40:60] = np.nan
    values[60:] = 7
    smoothed = smooth(values, TIME, 0.5)
    np.testing.assert_allclose(smoothed[:40], 0, atol=1e-12)
    np.testing.assert_allclose(smoothed[60:], 7)
    assert np.isnan(smoothed[40:60]).all()


@given(st.floats(-100, 100), st.floats(0, 20), st.integers(1, 30))
def test_a_constant_stays_as_it_is(value, sigma, count):
    np.testing.assert_allclose(smooth(np.full(count, value), TIME[:count], sigma), value)


def test_no_smoothing_leaves_values_alone():
    values = np.random.default_rng(0).normal(size=100)
    np.testing.assert_array_equal(smooth(values, TIME, 0), values)


def test_times_that_do_not_fit_are_refused():
    with pytest.raises(AffectkitError, match="3 frames of values but 2 time stamps"):
        smooth(np.ones(3), TIME[:2], 1)
    with pytest.raises(AffectkitError, match="should rise"):
        bridge(np.ones(2), np.array([1.0, 1.0]), 1)
