import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation import rater_agreement


def with_ratings(recording: xr.Dataset, offsets: list[float]) -> xr.Dataset:
    ratings = [recording["annotation"] * 0.5 + offset for offset in offsets]
    return recording.assign(rating=xr.concat(ratings, "rater"))


def test_equal_raters_agree_fully(recording):
    agreement = rater_agreement(with_ratings(recording, [0.0, 0.0, 0.0]))
    assert agreement.dims == ("affect",)
    assert agreement.values == pytest.approx([1, 1])


def test_two_raters_apart_agree_as_lin_says(recording):
    agreement = rater_agreement(with_ratings(recording, [0.0, 0.2]))
    variance = (recording["annotation"] * 0.5).var("frame")
    np.testing.assert_allclose(agreement, 2 * variance / (2 * variance + 0.04), rtol=1e-5)


def test_one_rater_is_refused(recording):
    with pytest.raises(AffectkitError, match="has 1 raters"):
        rater_agreement(with_ratings(recording, [0.0]))


def test_no_raters_are_refused(recording):
    with pytest.raises(AffectkitError, match="'one' has 0 raters"):
        rater_agreement(recording)
