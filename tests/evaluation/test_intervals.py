import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from affectkit.evaluation.intervals import (
    Bootstrap,
    append_mean,
    bootstrap_mean,
    bootstrap_metrics,
    draw_groups,
    group_sums,
    has_no_interval,
    interval_method,
    metrics_from_sums,
    percentile_interval,
    time_blocks,
)
from affectkit.metrics import METRICS

AFFECT = ["valence", "arousal"]


def random_signals(frames: int, seed: int, missing: float = 0.2) -> xr.Dataset:
    generator = np.random.default_rng(seed)
    values = generator.uniform(-1, 1, (2, frames, 2))
    values[0][generator.random((frames, 2)) < missing] = np.nan
    dims = ("frame", "affect")
    coords = {"frame": np.arange(frames), "affect": AFFECT}
    return xr.Dataset({"annotation": (dims, values[0]), "prediction": (dims, values[1])}, coords)


def test_blocks_follow_time_not_frames():
    time = xr.DataArray([10.0, 13.9, 14.0, 17.0, 18.5, 30.0], dims="frame")
    assert time_blocks(time).tolist() == [0, 0, 1, 1, 2, 5]


def test_each_resample_draws_as_many_groups_as_there_are():
    counts = draw_groups(7, Bootstrap(50))
    assert (counts.sum("group") == 7).all()
    assert counts.identical(draw_groups(7, Bootstrap(50)))
    assert not counts.identical(draw_groups(7, Bootstrap(50, seed=1)))


@pytest.mark.parametrize(
    ("groups", "frames", "expected"),
    [
        (9, 31, "too few frames (31; needs 100)"),
        (1, 500, "too few subjects (1; needs 2)"),
        (9, 500, "percentile bootstrap, subjects resampled, 2000"),
    ],
)
def test_the_method_says_how_the_interval_was_computed_or_why_there_is_none(
    groups, frames, expected
):
    method = interval_method("subjects", groups=groups, frames=frames, resamples=2000)
    assert method == expected
    assert has_no_interval(method) == expected.startswith("too few")


def test_the_interval_holds_the_central_95_percent_and_skips_nan():
    resampled = xr.DataArray([*np.linspace(0, 1, 1001), np.nan], dims="resample")
    low, high = percentile_interval(resampled)
    assert (float(low), float(high)) == pytest.approx((0.025, 0.975))


def test_the_interval_of_only_nan_is_nan():
    low, high = percentile_interval(xr.DataArray([np.nan, np.nan], dims="resample"))
    assert np.isnan([low, high]).all()


def test_the_interval_covers_the_true_mean_about_95_percent_of_the_time():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        groups = xr.DataArray(generator.normal(0, 1, 30), dims="group")
        means = xr.dot(draw_groups(30, Bootstrap(400)), groups, dim="group") / 30
        low, high = percentile_interval(means)
        covered += float(low) < 0 < float(high)
    assert 0.88 < covered / 200 < 0.99


@given(frames=st.integers(20, 300), groups=st.integers(1, 9), seed=st.integers(0, 999))
def test_sums_of_all_groups_give_the_metrics_of_all_frames(frames, groups, seed):
    signals = random_signals(frames, seed)
    sums = group_sums(signals, np.arange(frames) % groups).sum("group")
    found = metrics_from_sums(sums)
    for name, metric in METRICS.items():
        expected = metric(signals["annotation"], signals["prediction"], "frame")
        np.testing.assert_allclose(found.sel(metric=name), expected, atol=1e-9, err_msg=name)


def test_a_group_counts_as_often_as_it_is_drawn():
    signals = random_signals(60, 1)
    group = np.arange(60) // 20
    counts = xr.DataArray([2.0, 0.0, 1.0], dims="group")
    found = metrics_from_sums(xr.dot(counts, group_sums(signals, group), dim="group"))
    repeated = signals.isel(frame=[*range(20), *range(20), *range(40, 60)])
    expected = METRICS["ccc"](repeated["annotation"], repeated["prediction"], "frame")
    np.testing.assert_allclose(found.sel(metric="ccc"), expected, atol=1e-12)


@pytest.mark.parametrize(("name", "expected"), [("ccc", 0.0), ("pearson", np.nan), ("mae", 0.25)])
def test_a_constant_prediction_scores_as_in_metrics(name, expected):
    signals = random_signals(40, 2, missing=0)
    signals["annotation"][:] = np.tile([0.5, 0.0], (2, 20)).T
    signals["prediction"][:] = 0.25
    found = metrics_from_sums(group_sums(signals, np.zeros(40, int)).sum("group"))
    assert found.sel(metric=name).values == pytest.approx(
        np.full(2, expected), abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_subject_with_constant_prediction_has_no_correlation_when_drawn_alone(seed):
    # centred on all frames it is a constant far from 0, so its computed variance is rounding error
    signals = random_signals(90, seed, missing=0)
    signals["prediction"][:60] = np.random.default_rng(seed).uniform(-1, 1)
    alone = group_sums(signals, np.arange(90) // 60).isel(group=0)
    found = metrics_from_sums(3 * alone)
    assert found.sel(metric="pearson").isnull().all()
    assert (found.sel(metric="ccc") == 0).all()


def test_frames_without_annotation_add_nothing():
    signals = random_signals(30, 3, missing=0)
    signals["annotation"][20:] = np.nan
    sums = group_sums(signals, np.arange(30) // 10)
    assert sums.sel(sum="count").values.tolist() == [[10, 10], [10, 10], [0, 0]]
    assert not sums.isel(group=2).any()


def test_the_mean_affect_is_nan_if_either_affect_is_nan():
    values = xr.DataArray([[0.2, 0.6], [0.2, np.nan]], {"affect": AFFECT}, ("metric", "affect"))
    mean = append_mean(values).sel(affect="mean").values
    assert mean == pytest.approx([0.4, np.nan], nan_ok=True)


def test_resamples_of_two_subjects_contain_each_combination():
    signals = random_signals(40, 4, missing=0)
    offset = xr.DataArray([1.0] * 20 + [0.0] * 20, dims="frame")
    signals["prediction"] = signals["annotation"] + offset
    resampled = bootstrap_metrics(group_sums(signals, np.arange(40) // 20), Bootstrap(200))
    bias = resampled.sel(metric="bias", affect="mean")
    assert np.unique(bias.round(9)).tolist() == [0, 0.5, 1]


def test_the_resampled_mean_leaves_out_undefined_recordings():
    values = xr.DataArray([1.0, 3.0, np.nan], dims="recording")
    resampled = bootstrap_mean(values, np.array([0, 1, 1]), Bootstrap(100))
    assert np.unique(resampled).tolist() == [1, 2, 3]
