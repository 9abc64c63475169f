import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation import (
    evaluate,
    evaluate_raters,
    rater_agreement,
    rater_table,
    scores_caption,
    scores_table,
)
from affectkit.evaluation.scores import COLUMNS
from affectkit.recording import open_recording, save_recording


def with_ratings(recording: xr.Dataset, offsets: list[float]) -> xr.Dataset:
    ratings = [recording["annotation"] * 0.5 + offset for offset in offsets]
    return recording.assign(rating=xr.concat(ratings, "rater"))


@pytest.fixture
def rate(test_recordings):
    """Returns a function that adds raters with these offsets to the recordings of the run."""

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


def test_two_raters_with_an_offset_agree_as_lins_formula_says(recording):
    agreement = rater_agreement(with_ratings(recording, [0.0, 0.2]))
    variance = (recording["annotation"] * 0.5).var("frame")
    expected = 2 * variance / (2 * variance + 0.04)
    for measure in ("pairwise CCC", "CCC with the others"):
        np.testing.assert_allclose(agreement.sel(measure=measure), expected, rtol=1e-5)
    np.testing.assert_allclose(agreement.sel(measure="ICC(3,1)"), 1)
    np.testing.assert_allclose(agreement.sel(measure="ICC(2,1)"), expected, atol=0.01)


def test_the_mean_of_the_others_agrees_better_than_single_raters(recording):
    rated = with_ratings(recording, [0.0, 0.0, 0.0, 0.0])
    rated["rating"] += np.random.default_rng(0).normal(0, 0.3, rated["rating"].shape)
    agreement = rater_agreement(rated)
    assert (
        agreement.sel(measure="CCC with the others") > agreement.sel(measure="pairwise CCC")
    ).all()
    assert (agreement.sel(measure="ICC(2,k)") > agreement.sel(measure="ICC(2,1)")).all()


def test_one_rater_raises_an_error(recording):
    with pytest.raises(AffectkitError, match="has 1 raters"):
        rater_agreement(with_ratings(recording, [0.0]))


def test_a_recording_without_raters_raises_an_error(recording):
    with pytest.raises(AffectkitError, match="'one' has 0 raters"):
        rater_agreement(recording)


def test_raters_are_scored_like_a_run(run, rate, test_recordings):
    rate([0.0, 0.2])
    scores = evaluate_raters(run, resamples=50)
    assert list(scores.columns) == COLUMNS
    assert list(scores["recording"].unique()) == ["(one rater, all)", "(one rater, mean)"]
    mean = scores[(scores["recording"] == "(one rater, mean)") & (scores["metric"] == "ccc")]
    opened = [open_recording(test_recordings / f"{name}.zarr") for name in "abcd"]
    expected = xr.concat(
        [rater_agreement(each).sel(measure="CCC with the others") for each in opened], "recording"
    ).mean("recording")
    np.testing.assert_allclose(mean["value"].to_numpy()[:2], expected, rtol=1e-5)
    frames = sum(each.sizes["frame"] for each in opened)
    assert (scores["frames"] == 2 * frames).all()
    assert scores["interval"].str.contains("subjects resampled").all()


def test_equal_raters_have_ccc_1_and_rmse_0(run, rate):
    rate([0.0, 0.0, 0.0])
    scores = evaluate_raters(run, resamples=50, fusion="median")
    np.testing.assert_allclose(scores.loc[scores["metric"] == "ccc", "value"], 1)
    np.testing.assert_allclose(scores.loc[scores["metric"] == "rmse", "value"], 0, atol=1e-7)


def test_only_annotated_frames_of_raters_are_scored(run, rate, test_recordings):
    rate([0.0, 0.2], "a")
    recording = open_recording(test_recordings / "a.zarr").load()
    recording["annotation"][:50] = np.nan
    save_recording(recording, test_recordings / "a.zarr", overwrite=True)
    frames = evaluate_raters(run, resamples=50)["frames"]
    assert (frames == 2 * (recording.sizes["frame"] - 50)).all()


@pytest.mark.parametrize("offsets", [[], [0.0]])
def test_fewer_than_two_raters_give_an_empty_table(run, rate, offsets):
    if offsets:
        rate(offsets)
    scores = evaluate_raters(run)
    assert list(scores.columns) == COLUMNS
    assert scores.empty


def test_scores_of_raters_join_the_table_of_the_run(run, rate):
    rate([0.0, 0.2])
    both = pd.concat([evaluate(run, resamples=50), evaluate_raters(run, resamples=50)])
    assert list(scores_table(both).index[-2:]) == ["(one rater, all)", "(one rater, mean)"]
    assert "each human rater against the mean of the others" in scores_caption(both)
    assert "each human rater" not in scores_caption(evaluate(run, resamples=50))


def test_an_unknown_split_raises_an_error(run):
    with pytest.raises(AffectkitError, match="unknown split"):
        evaluate_raters(run, split="tset")


def test_the_table_has_a_row_for_each_rated_recording_and_the_mean(rate, test_recordings):
    rate([0.0, 0.1, 0.2], "ad")
    found = rater_table(test_recordings)
    assert list(found.index) == ["a", "d", "(mean)"]
    assert (found["raters"] == 3).all()
    agreement = rater_agreement(open_recording(test_recordings / "d.zarr"))
    for measure in agreement["measure"].values:
        expected = float(agreement.sel(measure=measure, affect="arousal"))
        assert found.loc["d", f"{measure} A"] == pytest.approx(expected)
    np.testing.assert_allclose(found.loc["(mean)"], found.loc[["a", "d"]].mean())


def test_the_table_shows_the_difference_of_the_delays(rate, test_recordings):
    path = test_recordings / "c.zarr"
    rate([0.0, 0.0], "c")
    recording = open_recording(path).load()
    recording["rating"][1] = recording["rating"][1].shift(frame=5)
    save_recording(recording, path, overwrite=True)
    found = rater_table(path)
    for affect in "VA":
        assert found.loc["c", f"seconds apart {affect}"] == pytest.approx(5 / 25, abs=0.02)


def test_a_table_without_rated_recordings_raises_an_error(test_recordings):
    with pytest.raises(
        AffectkitError, match=r"no recording in .* has ratings of two or more raters"
    ):
        rater_table(test_recordings)
