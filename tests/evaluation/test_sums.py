import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.resampling import resample, resample_mean
from affectkit.evaluation.sums import group_sums, metrics_of, with_mean
from affectkit.metrics import METRICS

AFFECT = ["valence", "arousal"]


def random_pair(frames: int, seed: int, missing: float = 0.2) -> xr.Dataset:
    generator = np.random.default_rng(seed)
    values = generator.uniform(-1, 1, (2, frames, 2))
    values[0][generator.random((frames, 2)) < missing] = np.nan
    dims = ("frame", "affect")
    coords = {"frame": np.arange(frames), "affect": AFFECT}
    return xr.Dataset({"annotation": (dims, values[0]), "prediction": (dims, values[1])}, coords)


@given(frames=st.integers(20, 300), groups=st.integers(1, 9), seed=st.integers(0, 999))
def test_sums_of_all_groups_give_the_metrics_of_all_frames(frames, groups, seed):
    pair = random_pair(frames, seed)
    sums = group_sums(pair, np.arange(frames) % groups).sum("group")
    found = metrics_of(sums)
    for name, metric in METRICS.items():
        expected = metric(pair["annotation"], pair["prediction"], "frame")
        np.testing.assert_allclose(found.sel(metric=name), expected, atol=1e-9, err_msg=name)


def test_a_group_counts_as_often_as_it_is_drawn():
    pair = random_pair(60, 1)
    group = np.arange(60) // 20
    drawn = xr.DataArray([2.0, 0.0, 1.0], dims="group")
    found = metrics_of(xr.dot(drawn, group_sums(pair, group), dim="group"))
    repeated = pair.isel(frame=[*range(20), *range(20), *range(40, 60)])
    expected = METRICS["ccc"](repeated["annotation"], repeated["prediction"], "frame")
    np.testing.assert_allclose(found.sel(metric="ccc"), expected, atol=1e-12)


@pytest.mark.parametrize(("name", "expected"), [("ccc", 0.0), ("pearson", np.nan), ("mae", 0.25)])
def test_a_constant_prediction_scores_as_in_metrics(name, expected):
    pair = random_pair(40, 2, missing=0)
    pair["annotation"][:] = np.tile([0.5, 0.0], (2, 20)).T
    pair["prediction"][:] = 0.25
    assert metrics_of(group_sums(pair, np.zeros(40, int)).sum("group")).sel(metric=name).values == (
        pytest.approx(np.full(2, expected), abs=1e-12, nan_ok=True)
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_subject_whose_prediction_is_constant_has_no_correlation_when_drawn_alone(seed):
    # centred on all frames it is a constant far from 0, and of its variance only rounding is left
    pair = random_pair(90, seed, missing=0)
    pair["prediction"][:60] = np.random.default_rng(seed).uniform(-1, 1)
    alone = group_sums(pair, np.arange(90) // 60).isel(group=0)
    found = metrics_of(3 * alone)
    assert found.sel(metric="pearson").isnull().all()
    assert (found.sel(metric="ccc") == 0).all()


def test_frames_without_annotation_count_for_nothing():
    pair = random_pair(30, 3, missing=0)
    pair["annotation"][20:] = np.nan
    sums = group_sums(pair, np.arange(30) // 10)
    assert sums.sel(sum="count").values.tolist() == [[10, 10], [10, 10], [0, 0]]
    assert not sums.isel(group=2).any()


def test_mean_affect_is_the_mean_of_both_and_nan_where_one_is():
    values = xr.DataArray([[0.2, 0.6], [0.2, np.nan]], {"affect": AFFECT}, ("metric", "affect"))
    mean = with_mean(values).sel(affect="mean").values
    assert mean == pytest.approx([0.4, np.nan], nan_ok=True)


def test_resampling_two_subjects_draws_each_mixture():
    pair = random_pair(40, 4, missing=0)
    pair["prediction"] = pair["annotation"] + xr.DataArray([1.0] * 20 + [0.0] * 20, dims="frame")
    resampled = resample(group_sums(pair, np.arange(40) // 20), Bootstrap(200))
    bias = resampled.sel(metric="bias", affect="mean")
    assert np.unique(bias.round(9)).tolist() == [0, 0.5, 1]


def test_resampled_mean_of_recordings_leaves_out_undefined_ones():
    values = xr.DataArray([1.0, 3.0, np.nan], dims="recording")
    resampled = resample_mean(values, np.array([0, 1, 1]), Bootstrap(100))
    assert np.unique(resampled).tolist() == [1, 2, 3]
