import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation import (
    caption,
    evaluate,
    evaluate_raters,
    rater_agreement,
    rater_table,
    table,
)
from affectkit.evaluation.scores import COLUMNS
from affectkit.recording import open_recording, save_recording


def with_ratings(recording: xr.Dataset, offsets: list[float]) -> xr.Dataset:
    ratings = [recording["annotation"] * 0.5 + offset for offset in offsets]
    return recording.assign(rating=xr.concat(ratings, "rater"))


@pytest.fixture
def rate(test_recordings):
    """Gives the recordings of the run raters who differ by these offsets."""

    def rate_all(offsets: list[float], names: str = "abcd") -> None:
        for name in names:
            path = test_recordings / f"{name}.zarr"
            with open_recording(path) as recording:
                rated = with_ratings(recording.load(), offsets)
            save_recording(rated, path, overwrite=True)

    return rate_all


def test_equal_raters_agree_fully(recording):
    agreement = rater_agreement(with_ratings(recording, [0.0, 0.0, 0.0]))
    assert agreement.dims == ("measure", "affect")
    np.testing.assert_allclose(agreement, 1)


def test_two_raters_apart_agree_as_lin_says(recording):
    agreement = rater_agreement(with_ratings(recording, [0.0, 0.2]))
    variance = (recording["annotation"] * 0.5).var("frame")
    expected = 2 * variance / (2 * variance + 0.04)
    for measure in ("CCC of pairs", "CCC with the rest"):
        np.testing.assert_allclose(agreement.sel(measure=measure), expected, rtol=1e-5)
    np.testing.assert_allclose(agreement.sel(measure="ICC(3,1)"), 1)
    np.testing.assert_allclose(agreement.sel(measure="ICC(2,1)"), expected, atol=0.01)


def test_the_rest_agrees_better_than_its_parts(recording):
    rated = with_ratings(recording, [0.0, 0.0, 0.0, 0.0])
    rated["rating"] += np.random.default_rng(0).normal(0, 0.3, rated["rating"].shape)
    agreement = rater_agreement(rated)
    assert (
        agreement.sel(measure="CCC with the rest") > agreement.sel(measure="CCC of pairs")
    ).all()
    assert (agreement.sel(measure="ICC(2,k)") > agreement.sel(measure="ICC(2,1)")).all()


def test_one_rater_is_refused(recording):
    with pytest.raises(AffectkitError, match="has 1 raters"):
        rater_agreement(with_ratings(recording, [0.0]))


def test_no_raters_are_refused(recording):
    with pytest.raises(AffectkitError, match="'one' has 0 raters"):
        rater_agreement(recording)


def test_raters_are_scored_as_a_run_is(run, rate, test_recordings):
    rate([0.0, 0.2])
    scores = evaluate_raters(run, resamples=50)
    assert list(scores.columns) == COLUMNS
    assert list(scores["recording"].unique()) == ["(one rater, all)", "(one rater, mean)"]
    mean = scores[(scores["recording"] == "(one rater, mean)") & (scores["metric"] == "ccc")]
    opened = [open_recording(test_recordings / f"{name}.zarr") for name in "abcd"]
    expected = xr.concat(
        [rater_agreement(each).sel(measure="CCC with the rest") for each in opened], "recording"
    ).mean("recording")
    np.testing.assert_allclose(mean["value"].to_numpy()[:2], expected, rtol=1e-5)
    frames = sum(each.sizes["frame"] for each in opened)
    assert (scores["frames"] == 2 * frames).all()
    assert scores["interval"].str.contains("subjects resampled").all()


def test_equal_raters_pooled_agree_fully(run, rate):
    rate([0.0, 0.0, 0.0])
    scores = evaluate_raters(run, resamples=50, fusion="median")
    np.testing.assert_allclose(scores.loc[scores["metric"] == "ccc", "value"], 1)
    np.testing.assert_allclose(scores.loc[scores["metric"] == "rmse", "value"], 0, atol=1e-7)


def test_raters_count_where_the_recording_is_annotated(run, rate, test_recordings):
    rate([0.0, 0.2], "a")
    recording = open_recording(test_recordings / "a.zarr").load()
    recording["annotation"][:50] = np.nan
    save_recording(recording, test_recordings / "a.zarr", overwrite=True)
    frames = evaluate_raters(run, resamples=50)["frames"]
    assert (frames == 2 * (recording.sizes["frame"] - 50)).all()


@pytest.mark.parametrize("offsets", [[], [0.0]])
def test_without_two_raters_there_is_no_row(run, rate, offsets):
    if offsets:
        rate(offsets)
    scores = evaluate_raters(run)
    assert list(scores.columns) == COLUMNS
    assert scores.empty


def test_raters_stand_beside_the_run(run, rate):
    rate([0.0, 0.2])
    both = pd.concat([evaluate(run, resamples=50), evaluate_raters(run, resamples=50)])
    assert list(table(both).index[-2:]) == ["(one rater, all)", "(one rater, mean)"]
    assert "each rater against the mean of the others" in caption(both)
    assert "each rater" not in caption(evaluate(run, resamples=50))


def test_an_unknown_split_is_refused(run):
    with pytest.raises(AffectkitError, match="unknown split"):
        evaluate_raters(run, split="tset")


def test_the_table_has_a_row_a_rated_recording_and_the_mean(rate, test_recordings):
    rate([0.0, 0.1, 0.2], "ad")
    found = rater_table(test_recordings)
    assert list(found.index) == ["a", "d", "(mean)"]
    assert (found["raters"] == 3).all()
    agreement = rater_agreement(open_recording(test_recordings / "d.zarr"))
    for measure in agreement["measure"].values:
        expected = float(agreement.sel(measure=measure, affect="arousal"))
        assert found.loc["d", f"{measure} A"] == pytest.approx(expected)
    np.testing.assert_allclose(found.loc["(mean)"], found.loc[["a", "d"]].mean())


def test_the_table_tells_how_far_apart_raters_follow(rate, test_recordings):
    path = test_recordings / "c.zarr"
    rate([0.0, 0.0], "c")
    recording = open_recording(path).load()
    recording["rating"][1] = recording["rating"][1].shift(frame=5)
    save_recording(recording, path, overwrite=True)
    found = rater_table(path)
    for affect in "VA":
        assert found.loc["c", f"seconds apart {affect}"] == pytest.approx(5 / 25, abs=0.02)


def test_a_table_of_nobody_is_refused(test_recordings):
    with pytest.raises(AffectkitError, match=r"no recording in .* has ratings of two raters"):
        rater_table(test_recordings)
