import numpy as np
import pytest
import xarray as xr

from affectkit.bench.over_seeds import ITSELF, compare_nets, resample_both
from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.sums import group_sums

BOOTSTRAP = Bootstrap(4000, 0)


def sums_of(gains):
    """Two subjects of two frames, annotated 1 and -1, predicted as gain times that.

    All means are 0, so the CCC of subjects drawn w times is 2 sum(w g) / sum(w (1 + g * g)).
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


def rows_of(nets, references=()):
    rows = compare_nets({n: sums_of(g) for n, g in nets.items()}, references, BOOTSTRAP)
    return {
        (r["net"], r["minus"]): r for r in rows if (r["affect"], r["metric"]) == ("mean", "ccc")
    }


def test_both_subjects_and_seeds_are_resampled():
    # by hand, CCC(g) = 2 g / (1 + g * g): CCC(1) = 1, CCC(1/2) = 0.8, CCC(1/3) = 0.6, and of both
    # subjects together: seed 0: 2 * 1.5 / 3.25 = 12/13; seed 1: 2 * (5/6) / (85/36) = 12/17
    drawn = resample_both(sums_of([[1, 1 / 2], [1 / 2, 1 / 3]]), BOOTSTRAP).sel(
        affect="mean", metric="ccc"
    )
    seed_0, seed_1 = (1, 12 / 13, 0.8), (0.8, 12 / 17, 0.6)  # first subject twice, both, second
    both = [(a + b) / 2 for a, b in zip(seed_0, seed_1, strict=True)]
    expected = {}
    for of_seed, chance in ((seed_0, 1 / 4), (both, 1 / 2), (seed_1, 1 / 4)):
        for value, weight in zip(of_seed, (1 / 4, 1 / 2, 1 / 4), strict=True):
            expected[round(value, 9)] = expected.get(round(value, 9), 0) + chance * weight
    found, counts = np.unique(drawn.values.round(9), return_counts=True)
    np.testing.assert_allclose(found, sorted(expected), atol=2e-9)
    np.testing.assert_allclose(counts / 4000, [expected[k] for k in sorted(expected)], atol=0.03)


def test_value_and_interval_are_those_of_the_hand_made_answer():
    row = rows_of({"net": [[1, 1 / 2], [1 / 2, 1 / 3]]})["net", ITSELF]
    assert row["value"] == pytest.approx((12 / 13 + 12 / 17) / 2)
    assert (row["seed 0"], row["seed 1"]) == pytest.approx((12 / 13, 12 / 17))
    # either extreme has a chance of 1/16, more than the 2.5 % beyond an end
    assert (row["low"], row["high"]) == pytest.approx((0.6, 1.0))


def test_what_is_hard_for_both_nets_cancels_out():
    # the second net is the first, but 0.2 better for every subject alone
    rows = rows_of({"a": [[1 / 3, 1 / 3], [1 / 2, 1 / 2]], "b": [[1 / 2] * 2, [1] * 2]}, ("a",))
    difference = rows["b", "a"]
    for key in ("value", "low", "high", "seed 0", "seed 1"):
        assert difference[key] == pytest.approx(0.2)
    assert rows["b", ITSELF]["high"] - rows["b", ITSELF]["low"] == pytest.approx(0.2)
    assert ("a", "a") not in rows
