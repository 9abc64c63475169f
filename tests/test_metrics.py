import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torchmetrics.functional import concordance_corrcoef, pearson_corrcoef

from affectkit.errors import AffectkitError
from affectkit.metrics import (
    ICC,
    METRICS,
    ccc,
    icc,
    mae,
    pairwise_ccc,
    pearson,
    rmse,
    sign_agreement,
)

signals = arrays(np.float64, 30, elements=st.integers(-100, 100).map(lambda number: number / 100))


def line(values) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, float), dims="frame")


def varied(*values: np.ndarray) -> None:
    assume(all(each.std() > 0.05 for each in values))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        # a = 0 1 2 3, p = 1 1 3 3: means 1.5 and 2, variances 1.25 and 1, covariance 1
        ("ccc", 2 * 1 / (1.25 + 1 + 0.25)),
        ("pearson", 1 / np.sqrt(1.25)),
        ("rmse", np.sqrt(2 / 4)),
        ("mae", 2 / 4),
        ("bias", 2 / 4),
        ("sign_agreement", 3 / 4),
    ],
)
def test_metrics_equal_values_computed_by_hand(metric, expected):
    value = METRICS[metric](line([0, 1, 2, 3]), line([1, 1, 3, 3]), "frame")
    assert float(value) == pytest.approx(expected)


def test_zero_has_the_same_sign_as_zero_only():
    assert sign_agreement(line([0, 0, -1, 1]), line([0, 1, -2, 0]), "frame") == 0.5


@pytest.mark.parametrize("name", METRICS)
def test_frames_with_nan_on_either_side_are_left_out(name):
    a, p = [0.1, np.nan, 0.5, -0.2, 0.3], [0.2, 0.9, np.nan, -0.1, 0.1]
    known = [0, 3, 4]
    expected = METRICS[name](line(np.take(a, known)), line(np.take(p, known)), "frame")
    assert float(METRICS[name](line(a), line(p), "frame")) == pytest.approx(float(expected))


@pytest.mark.parametrize("name", METRICS)
def test_signals_without_common_frames_are_nan(name):
    assert np.isnan(METRICS[name](line([np.nan, 1]), line([1, np.nan]), "frame"))


@pytest.mark.parametrize("name", METRICS)
def test_dims_that_are_not_named_are_kept(name, recording, make_prediction):
    prediction = make_prediction(recording)["prediction"]
    both = METRICS[name](recording["annotation"], prediction, "frame")
    assert both.dims == ("affect",)
    alone = METRICS[name](
        recording["annotation"].sel(affect="arousal"), prediction.sel(affect="arousal"), "frame"
    )
    assert float(both.sel(affect="arousal")) == pytest.approx(float(alone))


@pytest.mark.parametrize("name", METRICS)
def test_different_frames_are_an_error(name, recording, make_prediction):
    prediction = make_prediction(recording)["prediction"]
    with pytest.raises(xr.AlignmentError):
        METRICS[name](recording["annotation"][5:], prediction[:-5], "frame")


@given(signals, signals)
def test_ccc_is_symmetric(a, p):
    varied(a, p)
    assert float(ccc(line(a), line(p), "frame")) == pytest.approx(
        float(ccc(line(p), line(a), "frame"))
    )


@given(signals, signals)
def test_ccc_is_no_further_from_zero_than_pearson(a, p):
    varied(a, p)
    concordance, correlation = (float(m(line(a), line(p), "frame")) for m in (ccc, pearson))
    assert abs(concordance) <= abs(correlation) + 1e-12
    assert -1 - 1e-12 <= correlation <= 1 + 1e-12


@given(signals)
def test_equal_signals_have_perfect_agreement(a):
    varied(a)
    found = {name: float(metric(line(a), line(a), "frame")) for name, metric in METRICS.items()}
    expected = {"ccc": 1, "pearson": 1, "rmse": 0, "mae": 0, "bias": 0, "sign_agreement": 1}
    assert found == pytest.approx(expected)


@given(signals, st.floats(0.05, 2))
def test_a_shift_lowers_ccc_but_not_pearson(a, shift):
    varied(a)
    moved = line(a + shift)
    variance = a.var()
    expected = 2 * variance / (2 * variance + shift**2)
    assert float(ccc(line(a), moved, "frame")) == pytest.approx(expected)
    assert float(pearson(line(a), moved, "frame")) == pytest.approx(1)


@given(signals, st.floats(0.1, 5))
def test_a_wrong_scale_lowers_ccc(a, scale):
    varied(a)
    centred = a - a.mean()
    expected = 2 * scale / (1 + scale**2)
    assert float(ccc(line(centred), line(scale * centred), "frame")) == pytest.approx(expected)


@given(signals, signals)
def test_a_centred_negative_flips_the_sign(a, p):
    varied(a, p)
    a, p = a - a.mean(), p - p.mean()
    for metric in (ccc, pearson):
        flipped = float(metric(line(a), line(-p), "frame"))
        assert flipped == pytest.approx(-float(metric(line(a), line(p), "frame")))


@given(signals, signals)
def test_errors_are_ordered_and_symmetric(a, p):
    bias, absolute, root = (
        float(METRICS[name](line(a), line(p), "frame")) for name in ("bias", "mae", "rmse")
    )
    assert abs(bias) <= absolute + 1e-12
    assert absolute <= root + 1e-12
    assert float(METRICS["bias"](line(p), line(a), "frame")) == pytest.approx(-bias)


@given(signals, signals, st.randoms(use_true_random=False))
def test_the_order_of_frames_does_not_matter(a, p, random):
    varied(a, p)
    order = random.sample(range(30), 30)
    for metric in METRICS.values():
        shuffled = float(metric(line(a[order]), line(p[order]), "frame"))
        assert shuffled == pytest.approx(float(metric(line(a), line(p), "frame")))


def test_a_delay_lowers_ccc():
    wave = np.sin(np.arange(200) / 10)
    scores = [float(ccc(line(wave), line(np.roll(wave, delay)), "frame")) for delay in (0, 5, 10)]
    assert scores[0] == pytest.approx(1)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1 / 3, -0.7])
def test_a_constant_prediction_scores_zero(constant):
    wave = line(np.sin(np.arange(50)))
    assert ccc(wave, xr.full_like(wave, constant), "frame") == 0
    assert np.isnan(pearson(wave, xr.full_like(wave, constant), "frame"))


def test_two_constants_have_a_ccc_only_if_they_differ():
    flat = line(np.full(20, 0.1))
    assert np.isnan(ccc(flat, flat, "frame"))
    assert ccc(flat, flat + 0.5, "frame") == 0


@given(signals, signals)
def test_ccc_equals_torchmetrics_except_for_ddof(a, p):
    varied(a, p)
    # torchmetrics divides variance and covariance by n - 1, not the squared shift
    n = len(a)
    ours = float(ccc(line(a), line(p), "frame"))
    theirs = float(concordance_corrcoef(torch.tensor(p), torch.tensor(a)))
    covariance = np.cov(a, p, ddof=0)
    shift = (a.mean() - p.mean()) ** 2
    spread = covariance[0, 0] + covariance[1, 1]
    assert ours == pytest.approx(2 * covariance[0, 1] / (spread + shift))
    assert theirs == pytest.approx(2 * covariance[0, 1] / (spread + shift * (n - 1) / n), abs=1e-5)


@given(signals, signals)
def test_pearson_equals_torchmetrics(a, p):
    varied(a, p)
    theirs = float(pearson_corrcoef(torch.tensor(p), torch.tensor(a)))
    assert float(pearson(line(a), line(p), "frame")) == pytest.approx(theirs, abs=1e-5)


def test_single_precision_is_summed_in_double_precision():
    generator = np.random.default_rng(0)
    a = xr.DataArray(generator.uniform(-1, 1, 100_000).astype(np.float32), dims="frame")
    p = a + xr.DataArray(generator.normal(0, 0.1, 100_000).astype(np.float32), dims="frame")
    for metric in (ccc, rmse, mae):
        single, double = metric(a, p, "frame"), metric(a.astype(float), p.astype(float), "frame")
        assert float(single) == float(double)


def table(values) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, float), dims=("rater", "frame"))


# table 2 of Shrout & Fleiss (1979): six targets, four judges; then their results
JUDGES = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
FOUND = {"1,1": 0.17, "2,1": 0.29, "3,1": 0.71, "1,k": 0.44, "2,k": 0.62, "3,k": 0.91}


@pytest.mark.parametrize("form", ICC)
def test_icc_equals_the_values_of_shrout_and_fleiss(form):
    assert float(icc(table(JUDGES), "frame", form)) == pytest.approx(FOUND[form], abs=0.005)


@given(signals, signals, signals)
def test_icc_of_the_mean_of_fixed_raters_is_cronbachs_alpha(a, b, c):
    rows = np.array([a, b, c])
    varied(a, b, c, rows.sum(axis=0))
    alpha = 3 / 2 * (1 - rows.var(axis=1).sum() / rows.sum(axis=0).var())
    assert float(icc(table(rows), "frame", "3,k")) == pytest.approx(alpha, abs=1e-9)


@given(signals, signals)
def test_icc_of_one_of_two_raters_is_nearly_their_ccc(a, b):
    varied(a, b)
    rows = np.tile([a, b], 200)  # of many targets: the two differ by the order of 1 / n
    expected = float(ccc(line(rows[0]), line(rows[1]), "frame"))
    assert float(icc(table(rows), "frame", "2,1")) == pytest.approx(expected, abs=1e-3)


@given(signals, signals, st.sampled_from(ICC))
def test_icc_of_the_mean_of_raters_follows_spearman_brown(a, b, form):
    varied(a, b)
    one = float(icc(table([a, b]), "frame", f"{form[0]},1"))
    assume(abs(1 + one) > 0.05)
    both = float(icc(table([a, b]), "frame", f"{form[0]},k"))
    assert both == pytest.approx(2 * one / (1 + one), abs=1e-6)


@given(signals, signals, st.floats(-3, 3))
def test_whether_rater_offsets_count_depends_on_the_form(a, b, offset):
    varied(a, b)
    plain, moved = table([a, b]), table([a, b + offset])
    assert float(icc(moved, "frame", "3,1")) == pytest.approx(float(icc(plain, "frame", "3,1")))
    apart, far = table([a, a + 1]), table([a, a + 2])
    assert icc(far, "frame", "2,1") < icc(apart, "frame", "2,1") < 1


def test_icc_leaves_out_targets_with_a_missing_rating():
    gappy = np.column_stack([JUDGES, [np.nan, 3, 4, 5]])
    assert float(icc(table(gappy), "frame")) == float(icc(table(JUDGES), "frame"))


@pytest.mark.parametrize("form", ICC)
@pytest.mark.parametrize(
    "rows", [[[0.1, 0.1], [0.1, 0.1]], [[0.1, 0.2]], [[0.1], [0.2]], [[np.nan, 0], [0, np.nan]]]
)
def test_icc_of_too_few_raters_or_targets_is_nan(rows, form):
    assert np.isnan(icc(table(rows), "frame", form))


def test_icc_is_computed_separately_for_each_affect():
    both = xr.concat([table(JUDGES), 2 * table(JUDGES)], "affect")
    assert icc(both, "frame").dims == ("affect",)
    np.testing.assert_allclose(icc(both, "frame"), float(icc(table(JUDGES), "frame")))


def test_an_unknown_form_is_an_error():
    with pytest.raises(AffectkitError, match="expected one of 1,1, 1,k, 2,1"):
        icc(table(JUDGES), "frame", "4,1")


def test_pairs_of_raters():
    pairs = pairwise_ccc(table(JUDGES), "frame")
    assert pairs.dims == ("rater", "other")
    expected = ccc(line(JUDGES[0]), line(JUDGES[2]), "frame")
    np.testing.assert_allclose([pairs[0, 2], pairs[2, 0]], expected)
    assert np.isnan(np.diag(pairs)).all()
