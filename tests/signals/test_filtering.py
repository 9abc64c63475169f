import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from affectkit.errors import AffectkitError
from affectkit.signals import FILTERS, apply_filter
from affectkit.signals.filtering import even_grid

TIME = np.arange(200) / 25
NOISE = np.random.default_rng(0).normal(0, 0.3, (200, 2)) + np.sin(TIME)[:, None]
INSIDE = slice(10, -10)  # not affected by the mirrored ends


def test_a_median_of_5_frames_removes_peaks_shorter_than_3():
    trace = np.zeros(100)
    trace[20:22], trace[50:60] = 1, 1
    filtered = apply_filter(trace, TIME[:100], "median", 0.2)
    assert np.flatnonzero(filtered).tolist() == list(range(50, 60))


@pytest.mark.parametrize(
    ("method", "theirs"),
    [
        ("median", lambda x: ndimage.median_filter(x, 11, mode="reflect")),
        ("savitzky-golay", lambda x: signal.savgol_filter(x, 11, 2)),
    ],
)
def test_evenly_spaced_frames_are_filtered_as_by_scipy(method, theirs):
    ours = apply_filter(NOISE, TIME, method, 0.44)
    for column in range(2):
        np.testing.assert_allclose(ours[INSIDE, column], theirs(NOISE[:, column])[INSIDE])


def test_savitzky_golay_keeps_a_parabola():
    parabola = (TIME - 3) ** 2
    filtered = apply_filter(parabola, TIME, "savitzky-golay", 0.6)
    np.testing.assert_allclose(filtered[INSIDE], parabola[INSIDE], atol=1e-9)


def test_wiener_equals_values_computed_by_hand():
    # of 3 frames: mean 2 and variance 8 about the 6; the noise is the mean of the variances
    trace = np.array([0.0, 0, 0, 6, 0, 0, 0])
    variance = np.array([0, 0, 8, 8, 8, 0, 0])
    padded = np.r_[0, variance, 0]
    noise = padded.mean()
    mean = np.array([0, 0, 2, 2, 2, 0, 0])
    expected = np.where(variance < noise, mean, mean + (trace - mean) * (1 - noise / 8))
    np.testing.assert_allclose(apply_filter(trace, TIME[:7], "wiener", 0.12), expected, atol=1e-12)


@pytest.mark.parametrize("method", FILTERS)
def test_segments_between_gaps_are_filtered_separately(method):
    values = NOISE.copy()
    values[80:90] = np.nan
    filtered = apply_filter(values, TIME, method, 0.5)
    assert np.flatnonzero(np.isnan(filtered).any(1)).tolist() == list(range(80, 90))
    alone = apply_filter(values[90:], TIME[90:], method, 0.5)
    np.testing.assert_array_equal(filtered[90:], alone)


@pytest.mark.parametrize("method", FILTERS)
def test_a_constant_is_unchanged_without_warnings(method):
    np.testing.assert_allclose(apply_filter(np.full(50, 0.3), TIME[:50], method, 0.4), 0.3)


@pytest.mark.parametrize("method", FILTERS)
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_segments_shorter_than_the_window_stay_finite(method, frames):
    assert np.isfinite(apply_filter(NOISE[:frames], TIME[:frames], method, 5.0)).all()


@pytest.mark.parametrize("method", FILTERS)
def test_a_window_below_3_frames_changes_nothing(method):
    np.testing.assert_array_equal(apply_filter(NOISE, TIME, method, 0.05), NOISE)


@given(st.floats(5, 60))
def test_time_stamps_rounded_to_milliseconds_are_even(fps):
    time = np.round(np.arange(1000) / fps, 3)
    assert len(even_grid(time)) == 1000


def test_the_window_is_in_seconds_where_frames_were_dropped():
    """A step stays at its time, although one side of it has half the frames."""
    kept = np.r_[np.arange(100), np.arange(100, 200, 2)]
    step = (TIME >= 4).astype(float)
    filtered = apply_filter(step[kept], TIME[kept], "median", 1.0)
    assert len(even_grid(TIME[kept])) == 199
    np.testing.assert_array_equal(filtered > 0.5, step[kept] > 0.5)
    ramp = apply_filter(TIME[kept], TIME[kept], "savitzky-golay", 1.0)
    np.testing.assert_allclose(ramp[15:-8], TIME[kept][15:-8], atol=1e-9)


def test_an_unknown_filter_and_a_window_of_0_are_an_error():
    with pytest.raises(AffectkitError, match="did you mean 'median'"):
        apply_filter(NOISE, TIME, "medain", 1.0)
    with pytest.raises(AffectkitError, match="more than 0 seconds and finite, got 0"):
        apply_filter(NOISE, TIME, "median", 0.0)


@pytest.mark.parametrize("method", FILTERS)
def test_a_window_much_longer_than_the_signal_sees_the_whole_signal_everywhere(method):
    time = np.arange(40) / 25
    values = np.sin(time)[:, None]
    longest = apply_filter(values, time, method, 1e300)
    np.testing.assert_array_equal(longest, apply_filter(values, time, method, 100.0))
    assert np.isfinite(longest).all()
