import numpy as np
import pytest
import xarray as xr

from affectkit.bench.seed_intervals import NO_BASELINE, resample_subjects_and_seeds, score_rows
from affectkit.evaluation.intervals import Bootstrap, group_sums

BOOTSTRAP = Bootstrap(4000, 0)


def sums_of(gains):
    """Two subjects of two frames, with annotations 1 and -1 and predictions of gain times that.

    All means are 0, so the CCC of subjects with weights w is 2 sum(w g) / sum(w (1 + g * g)).
    """
    parts = []
    for of_subjects in gains:  # a seed
        sign = np.tile([1.0, -1.0], len(of_subjects))
        values = sign * np.repeat(of_subjects, 2)
        frames = ("frame", "affect")
        pair = xr.Dataset(
            {
                "annotation": (frames, np.stack([sign, sign], 1)),
                "prediction": (frames, np.stack([values, values], 1)),
            },
            {"affect": ["valence", "arousal"]},
        )
        parts.append(group_sums(pair, np.repeat(np.arange(len(of_subjects)), 2)))
    return xr.concat(parts, "seed").assign_coords(seed=range(len(parts)))


def rows_of(networks, baselines=()):
    rows = score_rows({n: sums_of(g) for n, g in networks.items()}, baselines, BOOTSTRAP)
    return {
        (r["network"], r["minus"]): r for r in rows if (r["affect"], r["metric"]) == ("mean", "ccc")
    }


def test_subjects_and_seeds_are_resampled():
    # by hand, CCC(g) = 2 g / (1 + g * g): CCC(1) = 1, CCC(1/2) = 0.8, CCC(1/3) = 0.6, and of both
    # subjects together: seed 0: 2 * 1.5 / 3.25 = 12/13; seed 1: 2 * (5/6) / (85/36) = 12/17
    resamples = resample_subjects_and_seeds(sums_of([[1, 1 / 2], [1 / 2, 1 / 3]]), BOOTSTRAP).sel(
        affect="mean", metric="ccc"
    )
    seed_0, seed_1 = (1, 12 / 13, 0.8), (0.8, 12 / 17, 0.6)  # first subject twice, both, second
    both = [(a + b) / 2 for a, b in zip(seed_0, seed_1, strict=True)]
    expected = {}
    for of_seed, chance in ((seed_0, 1 / 4), (both, 1 / 2), (seed_1, 1 / 4)):
        for value, weight in zip(of_seed, (1 / 4, 1 / 2, 1 / 4), strict=True):
            expected[round(value, 9)] = expected.get(round(value, 9), 0) + chance * weight
    found, counts = np.unique(resamples.values.round(9), return_counts=True)
    np.testing.assert_allclose(found, sorted(expected), atol=2e-9)
    np.testing.assert_allclose(counts / 4000, [expected[k] for k in sorted(expected)], atol=0.03)


def test_value_and_interval_equal_those_computed_by_hand():
    row = rows_of({"a": [[1, 1 / 2], [1 / 2, 1 / 3]]})["a", NO_BASELINE]
    assert row["value"] == pytest.approx((12 / 13 + 12 / 17) / 2)
    assert (row["seed 0"], row["seed 1"]) == pytest.approx((12 / 13, 12 / 17))
    # each extreme has a probability of 1/16, more than 2.5 %
    assert (row["low"], row["high"]) == pytest.approx((0.6, 1.0))


def test_a_paired_difference_removes_the_variance_of_subjects_and_seeds():
    # the CCC of the second network is 0.2 higher for every subject
    rows = rows_of({"a": [[1 / 3, 1 / 3], [1 / 2, 1 / 2]], "b": [[1 / 2] * 2, [1] * 2]}, ("a",))
    difference = rows["b", "a"]
    for key in ("value", "low", "high", "seed 0", "seed 1"):
        assert difference[key] == pytest.approx(0.2)
    assert rows["b", NO_BASELINE]["high"] - rows["b", NO_BASELINE]["low"] == pytest.approx(0.2)
    assert ("a", "a") not in rows
