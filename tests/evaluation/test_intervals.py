import numpy as np
import pytest
import xarray as xr

from affectkit.evaluation import intervals
from affectkit.evaluation.intervals import Bootstrap


def test_blocks_follow_time_not_frames():
    time = xr.DataArray([10.0, 13.9, 14.0, 17.0, 18.5, 30.0], dims="frame")
    assert intervals.blocks(time).tolist() == [0, 0, 1, 1, 2, 5]


def test_each_resample_draws_as_many_groups_as_there_are():
    weights = intervals.weights(7, Bootstrap(50))
    assert (weights.sum("group") == 7).all()
    assert weights.identical(intervals.weights(7, Bootstrap(50)))
    assert not weights.identical(intervals.weights(7, Bootstrap(50, seed=1)))


@pytest.mark.parametrize(
    ("groups", "frames", "expected"),
    [
        (9, 31, "too few frames (31; needs 100)"),
        (1, 500, "too few subjects (1; needs 2)"),
        (9, 500, "percentile bootstrap, subjects resampled, 2000"),
    ],
)
def test_words_say_how_or_why_not(groups, frames, expected):
    words = intervals.words("subjects", groups=groups, frames=frames, resamples=2000)
    assert words == expected
    assert intervals.refused(words) == expected.startswith("too few")


def test_bounds_hold_the_central_95_percent_and_skip_nan():
    resampled = xr.DataArray([*np.linspace(0, 1, 1001), np.nan], dims="resample")
    low, high = intervals.bounds(resampled)
    assert (float(low), float(high)) == pytest.approx((0.025, 0.975))


def test_bounds_of_nothing_are_nan():
    low, high = intervals.bounds(xr.DataArray([np.nan, np.nan], dims="resample"))
    assert np.isnan([low, high]).all()


def test_block_interval_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        groups = xr.DataArray(generator.normal(0, 1, 30), dims="group")
        means = xr.dot(intervals.weights(30, Bootstrap(400)), groups, dim="group") / 30
        low, high = intervals.bounds(means)
        covered += float(low) < 0 < float(high)
    assert 0.88 < covered / 200 < 0.99
