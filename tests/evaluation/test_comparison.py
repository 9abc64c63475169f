import numpy as np
import pandas as pd
import pytest

from affectkit.errors import AffectkitError
from affectkit.evaluation import POOLED, compare, evaluate
from affectkit.recording import save_recording
from affectkit.results import prediction_path, save_result
from affectkit.run import read_metadata, write_metadata


def pooled_ccc(table):
    return table[(table.recording == POOLED) & (table.metric == "ccc") & (table.affect == "mean")]


def test_a_run_with_less_noise_scores_significantly_higher(make_run):
    noisy, clean = make_run("noisy", 0.5), make_run("clean", 0.05)
    row = pooled_ccc(compare(noisy, clean, resamples=200))
    assert row["value"].item() == pytest.approx(row["second"].item() - row["first"].item())
    assert 0 < row["low"].item() < row["value"].item() < row["high"].item()


def test_the_columns_first_and_second_are_the_scores_of_each_run(make_run):
    runs = make_run("noisy", 0.5), make_run("clean", 0.05)
    table = compare(*runs, resamples=50)
    for run, column in zip(runs, ("first", "second"), strict=True):
        scores = evaluate(run, resamples=50)
        scores = scores[scores.recording != "(mean)"]
        np.testing.assert_allclose(table[column], scores.value)


def test_the_difference_of_a_run_and_itself_is_zero(run):
    table = compare(run, run, resamples=50)
    assert (table[["value", "low", "high"]] == 0).all(axis=None)


def test_the_paired_interval_is_narrower_than_that_of_one_run(make_run):
    runs = make_run("noisy", 0.5), make_run("clean", 0.4)
    row = pooled_ccc(compare(*runs, resamples=500))
    single = pooled_ccc(evaluate(runs[0], resamples=500))
    widths = [(each["high"] - each["low"]).item() for each in (row, single)]
    assert widths[0] < widths[1]


def test_runs_with_different_splits_raise_an_error(make_run):
    first, second = make_run("first", 0.1), make_run("second", 0.1)
    splits = {"test": ["a", "b"]}
    write_metadata(second, read_metadata(second) | {"splits": splits})
    with pytest.raises(AffectkitError, match="differs: c, d only in one"):
        compare(first, second)


def test_recordings_with_other_frames_are_refused_by_name(
    make_run, make_recording, make_prediction, tmp_path
):
    first, second = make_run("first", 0.1), make_run("second", 0.1)
    longer = make_recording("b", 320, seed=1, subject="ann")
    path = tmp_path / "other" / "b.zarr"
    save_recording(longer, path)
    prediction = make_prediction(longer, 0.1).assign_attrs(recording_path=str(path))
    save_result(prediction, prediction_path(second, "b"))
    with pytest.raises(AffectkitError, match=r"other frames or annotations: b; predict"):
        compare(first, second)


def test_the_order_of_the_recordings_in_a_split_does_not_matter(make_run):
    first, second = make_run("first", 0.3), make_run("second", 0.1)
    expected = compare(first, second, resamples=20)
    splits = read_metadata(second)["splits"]
    splits["test"] = splits["test"][::-1]
    write_metadata(second, read_metadata(second) | {"splits": splits})
    pd.testing.assert_frame_equal(compare(first, second, resamples=20), expected)
