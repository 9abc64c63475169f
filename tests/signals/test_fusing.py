import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from affectkit.errors import AffectkitError
from affectkit.signals import FUSIONS, fuse

FEW = settings(max_examples=30)  # each example is fused several times
METHODS = st.sampled_from(sorted(FUSIONS))
# different ratings differ by more than the rounding error of a correlation
RATINGS = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(2, 12), st.just(2)),
    elements=st.integers(-100, 100).map(lambda value: value / 100),
)


def ratings(values) -> xr.DataArray:
    return xr.DataArray(
        np.asarray(values, float), dims=("rater", "frame", "affect")[: np.ndim(values)]
    )


def test_mean_and_median_leave_out_missing_ratings():
    rating = ratings(
        [[0.0, 0.2, np.nan, np.nan], [0.3, 0.4, 0.5, np.nan], [0.9, np.nan, 0.1, np.nan]]
    )
    np.testing.assert_allclose(fuse(rating, "mean"), [0.4, 0.3, 0.3, np.nan])
    np.testing.assert_allclose(fuse(rating, "median"), [0.3, 0.3, 0.3, np.nan])


def test_ewe_weights_are_correlations_with_the_mean():
    # the mean is [0, 1, 2, 1] / 3 and correlates with the rows by 1, 0 and 1 / sqrt(2)
    up, across, ramp = [0.0, 1, 2, 1], [1.0, 1, 1, 1], [-1.0, -1, -1, -1]
    rating = ratings([up, across, ramp])
    np.testing.assert_allclose(fuse(rating, "ewe"), up)
    # the mean is [0, 1, 1], and the second and third row correlate with it by 0.87 and 0.5
    rating = ratings([[0.0, 1, 1], [-1, 0, 1], [1, 2, 1]])
    first, second, third = pearson_with([0, 1, 1], rating.values)
    total = first + second + third
    expected = [
        (0 * first - second + third) / total,
        (first + 2 * third) / total,
        1.0,
    ]
    np.testing.assert_allclose(fuse(rating, "ewe"), expected)


def pearson_with(mean, rows) -> list[float]:
    return [float(np.corrcoef(mean, row)[0, 1]) for row in rows]


def test_ewe_gives_no_weight_to_a_negative_correlation():
    wave = np.sin(np.arange(50))
    rating = ratings([wave, wave * 0.8, -0.1 * wave])
    weights = np.array([1.0, 1.0, 0.0])
    np.testing.assert_allclose(fuse(rating, "ewe"), weights @ rating.values / 2)


def test_recola_shifts_every_rater_to_the_weighted_mean():
    # by hand: means 0, 1, 2 and variances 1; covariance 1 of the first two, -1 with the third
    rating = ratings([[-1.0, 1], [0, 2], [3, 1]])
    pair = {"12": 2 / (1 + 1 + 1), "13": -2 / (1 + 1 + 4), "23": -2 / (1 + 1 + 1)}
    agreement = (
        np.array([pair["12"] + pair["13"], pair["12"] + pair["23"], pair["13"] + pair["23"]]) / 2
    )
    np.testing.assert_allclose(agreement, [1 / 6, 0, -1 / 2])
    # the sum is negative: the means have equal weights, and the common mean is 1
    np.testing.assert_allclose(fuse(rating, "recola"), [1 - 1 / 3, 1 + 1 / 3])


def test_recola_weights_raters_by_agreement():
    # two raters differ by 1 in the mean, one is constant: agreements 1/3, 1/3, 0
    rating = ratings([[-1.0, 1], [0, 2], [7, 7]])
    reference = (0 / 3 + 1 / 3) / (2 / 3)
    np.testing.assert_allclose(fuse(rating, "recola"), np.array([-2 / 3, 2 / 3]) + reference)


def test_recola_equals_the_steps_of_avec():
    noise = np.random.default_rng(1).normal(0, 0.2, (6, 500))
    ratings_of_six = noise + np.sin(np.arange(500) / 20) + np.linspace(-0.2, 0.4, 6)[:, None]
    agreement = np.zeros(6)
    for one in range(6):
        for other in set(range(6)) - {one}:
            covariance = np.cov(ratings_of_six[one], ratings_of_six[other], ddof=0)
            shift = ratings_of_six[one].mean() - ratings_of_six[other].mean()
            agreement[one] += 2 * covariance[0, 1] / (np.trace(covariance) + shift**2) / 5
    means = ratings_of_six.mean(axis=1)
    centred = ratings_of_six - means[:, None] + (means * agreement).sum() / agreement.sum()
    assert agreement.sum() > 0
    np.testing.assert_allclose(fuse(ratings(ratings_of_six), "recola"), centred.mean(axis=0))


def test_recola_does_not_jump_where_a_rating_is_missing():
    wave = np.sin(np.arange(200) / 10)
    rating = ratings([wave, wave + 0.5, wave - 0.3])
    rating[1, 63:126] = np.nan  # a whole period, so that the means stay nearly the same
    jump = {method: float(abs(fuse(rating, method).diff("frame")).max()) for method in FUSIONS}
    assert jump["recola"] < 0.12  # the wave itself moves 0.1 a frame
    assert jump["mean"] > 0.15


@FEW
@given(RATINGS, METHODS, st.randoms(use_true_random=False))
def test_the_order_of_the_raters_does_not_matter(values, method, random):
    order = list(range(len(values)))
    random.shuffle(order)
    np.testing.assert_allclose(
        fuse(ratings(values), method), fuse(ratings(values[order]), method), atol=1e-9
    )


@FEW
@given(RATINGS, METHODS, st.integers(1, 4))
def test_equal_ratings_are_unchanged(values, method, count):
    rating = ratings(np.repeat(values[:1], count, axis=0))
    np.testing.assert_allclose(fuse(rating, method), values[0], atol=1e-9)


@FEW
@given(RATINGS, METHODS)
def test_a_rater_without_ratings_changes_nothing(values, method):
    silent = np.full((1, *values.shape[1:]), np.nan)
    with_silent = fuse(ratings(np.concatenate([values, silent])), method)
    np.testing.assert_allclose(with_silent, fuse(ratings(values), method), atol=1e-9)


@FEW
@given(RATINGS, METHODS)
def test_affects_are_fused_separately(values, method):
    whole = fuse(ratings(values), method)
    assert whole.dims == ("frame", "affect")
    for affect in range(2):
        alone = fuse(ratings(values[..., affect]), method)
        np.testing.assert_allclose(whole.isel(affect=affect), alone, atol=1e-12)


@pytest.mark.parametrize("method", ["mean", "median", "ewe"])
@FEW
@given(values=RATINGS)
def test_the_result_is_in_the_range_of_the_ratings(method, values):
    fused = fuse(ratings(values), method).values
    assert (fused <= values.max(axis=0) + 1e-12).all()
    assert (fused >= values.min(axis=0) - 1e-12).all()


def test_recola_stays_in_the_range_of_the_raters_if_agreements_nearly_cancel():
    wander = np.random.default_rng(1).normal(0, 0.02, (6, 500)).cumsum(axis=1)
    means = wander.mean(axis=1)
    assert means.min() <= fuse(ratings(wander), "recola").mean() <= means.max()


@FEW
@given(RATINGS)
def test_recola_keeps_the_mean_in_the_range_of_the_raters_means(values):
    shift = fuse(ratings(values), "recola").mean("frame").values
    means = values.mean(axis=1)
    assert (shift <= means.max(axis=0) + 1e-12).all()
    assert (shift >= means.min(axis=0) - 1e-12).all()


@FEW
@given(RATINGS, st.integers(0, 3), st.integers(-50, 50))
def test_recola_keeps_the_shape_of_the_mean(values, rater, offset):
    """An offset of one rater shifts the whole result."""
    moved = values.copy()
    moved[rater % len(values)] += offset / 100
    difference = fuse(ratings(moved), "recola") - fuse(ratings(values), "recola")
    np.testing.assert_allclose(difference - difference.mean("frame"), 0, atol=1e-9)


def test_the_result_keeps_time_but_not_the_rater_labels():
    rating = ratings(np.ones((2, 3))).assign_coords(
        rater=["a", "a"], time=("frame", [0.1, 0.2, 0.4])
    )
    for method in FUSIONS:
        fused = fuse(rating, method)
        assert set(fused.coords) == {"time"}
        np.testing.assert_allclose(fused, 1)


def test_an_unknown_fusion_is_an_error():
    with pytest.raises(AffectkitError, match=r"did you mean 'mean'.*ewe, mean, median, recola"):
        fuse(ratings(np.ones((2, 3))), "meen")
