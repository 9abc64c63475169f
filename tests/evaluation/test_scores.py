import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation import MEAN, POOLED, evaluate
from affectkit.evaluation.scores import COLUMNS
from affectkit.files import lock, remove
from affectkit.metrics import ccc
from affectkit.recording import save_recording
from affectkit.results import open_prediction, prediction_path, save_result
from affectkit.run import SCORES, read_metadata, read_scores, write_metadata


def value(scores, recording, affect="valence", metric="ccc", column="value"):
    row = scores[
        (scores.recording == recording) & (scores.affect == affect) & (scores.metric == metric)
    ]
    return row[column].item()


def test_there_is_a_row_for_each_recording_affect_and_metric(run):
    scores = evaluate(run, resamples=100)
    assert list(scores.columns) == COLUMNS
    assert list(scores.recording.unique()) == [POOLED, MEAN, "a", "b", "c", "d"]
    assert len(scores) == 6 * 3 * 6
    assert scores.value.notna().all()


def test_values_equal_those_of_the_metrics(run, test_recordings):
    scores = evaluate(run, resamples=100)
    signals = []
    for name in "abcd":
        with xr.open_zarr(test_recordings / f"{name}.zarr", consolidated=False) as recording:
            signals.append((recording["annotation"].load(), open_prediction(run, name).prediction))
    single = [float(ccc(a, p.drop_vars("time"), "frame").sel(affect="valence")) for a, p in signals]
    assert [value(scores, name) for name in "abcd"] == pytest.approx(single)
    assert value(scores, MEAN) == pytest.approx(np.mean(single))
    a, p = (np.concatenate([pair[i].values[:, 0] for pair in signals]) for i in (0, 1))
    lin = 2 * np.cov(a, p, ddof=0)[0, 1] / (a.var() + p.var() + (a.mean() - p.mean()) ** 2)
    assert value(scores, POOLED) == pytest.approx(lin, abs=1e-6)


def test_intervals_contain_the_value_and_name_their_method(run):
    scores = evaluate(run, resamples=500)
    assert (scores.low <= scores.value).mean() > 0.9
    assert (scores.value <= scores.high).mean() > 0.9
    methods = {name: value(scores, name, column="interval") for name in (POOLED, MEAN, "a")}
    assert methods == {
        POOLED: "percentile bootstrap, subjects resampled, 500",
        MEAN: "percentile bootstrap, subjects resampled, 500",
        "a": "percentile bootstrap, 4 s blocks resampled, 500",
    }


def test_scores_of_other_splits_stay_in_the_file(run):
    evaluate(run, split="validation", resamples=50)
    evaluate(run, resamples=50)
    again = evaluate(run, resamples=60)
    stored = read_scores(run)
    assert stored.groupby("split").size().to_dict() == {"test": len(again), "validation": 54}
    np.testing.assert_allclose(stored[stored.split == "test"].value, again.value, atol=1e-6)


def test_the_same_seed_gives_the_same_intervals(run):
    first, second = evaluate(run, resamples=50), evaluate(run, resamples=50)
    assert first.equals(second)
    assert not first.low.equals(evaluate(run, resamples=50, seed=1).low)


def test_one_subject_gives_no_interval_for_the_split(run):
    scores = evaluate(run, split="validation", resamples=50)
    assert np.isnan(value(scores, POOLED, column="low"))
    assert value(scores, POOLED, column="interval") == "too few subjects (1; needs 2)"
    assert value(scores, "a", column="low") < value(scores, "a", column="high")


def test_few_frames_give_no_interval(run, test_recordings, make_recording):
    short = make_recording("c", 350, subject="ben").drop_vars("face")
    short["annotation"][31:] = np.nan
    save_recording(short, test_recordings / "c.zarr", overwrite=True)
    scores = evaluate(run, resamples=50)
    assert value(scores, "c", column="frames") == 31
    assert np.isnan(value(scores, "c", column="high"))
    assert value(scores, "c", column="interval") == "too few frames (31; needs 100)"


def test_recordings_without_annotation_are_left_out(run, test_recordings, make_recording):
    bare = make_recording("c", 350).drop_vars("face")
    bare["annotation"][:] = np.nan
    save_recording(bare, test_recordings / "c.zarr", overwrite=True)
    assert "c" not in set(evaluate(run, resamples=50).recording)


def test_a_split_without_annotation_raises_an_error(run, test_recordings, make_recording):
    bare = make_recording("a", 250).drop_vars("face")
    bare["annotation"][:] = np.nan
    save_recording(bare, test_recordings / "a.zarr", overwrite=True)
    with pytest.raises(AffectkitError, match=r"no recording of the split 'validation'.*annotated"):
        evaluate(run, split="validation")


def test_a_missing_prediction_names_the_command_to_run(run):
    remove(prediction_path(run, "b"))
    with pytest.raises(AffectkitError, match="no prediction for b; run: affectkit predict"):
        evaluate(run)


def test_a_prediction_with_other_frames_names_the_command_to_run(
    run, test_recordings, make_recording
):
    longer = make_recording("a", 300).drop_vars("face")
    save_recording(longer, test_recordings / "a.zarr", overwrite=True)
    with pytest.raises(AffectkitError, match=r"a\.zarr has 250 frames, recording 'a' has 300"):
        evaluate(run)


def test_an_unknown_split_suggests_a_known_one(run):
    with pytest.raises(AffectkitError, match="did you mean 'test'"):
        evaluate(run, split="tset")


def test_an_empty_split_raises_an_error(run):
    with pytest.raises(AffectkitError, match=r"the split 'train' of .* has no recordings"):
        evaluate(run, split="train")


def test_the_folder_of_moved_recordings_can_be_given(run, test_recordings, tmp_path):
    moved = test_recordings.rename(tmp_path / "moved")
    with pytest.raises(AffectkitError, match="no recording 'a' for"):
        evaluate(run)
    assert len(evaluate(str(run), str(moved), resamples=50))


def test_an_affect_without_annotation_scores_nan(run, test_recordings, make_recording):
    half = make_recording("a", 250).drop_vars("face")
    half["annotation"].loc[{"affect": "arousal"}] = np.nan
    save_recording(half, test_recordings / "a.zarr", overwrite=True)
    scores = evaluate(run, split="validation", resamples=50)
    assert value(scores, "a", "valence") > 0
    assert np.isnan(value(scores, "a", "arousal"))
    assert np.isnan(value(scores, "a", "mean"))
    assert value(scores, "a", "mean", column="frames") == 0


def test_metadata_without_splits_raises_an_error(run):
    write_metadata(run, read_metadata(run) | {"splits": {}})
    with pytest.raises(AffectkitError, match="unknown split"):
        evaluate(run)


def test_a_folder_named_scores_csv_is_kept(run):
    (run / SCORES / "kept").mkdir(parents=True)
    with pytest.raises(AffectkitError, match=r"scores\.csv is a folder"):
        evaluate(run, resamples=10)
    assert (run / SCORES / "kept").is_dir()


def test_two_evaluations_of_a_run_at_once_are_refused(run):
    with (
        lock(run, "evaluate validation"),
        pytest.raises(AffectkitError, match=r"in use by process \d+ .*evaluate validation"),
    ):
        evaluate(run, resamples=10)
    assert not (run / SCORES).exists()


def test_predictions_without_a_value_give_no_scores(run):
    for name in ("a", "b", "c", "d"):
        prediction = open_prediction(run, name).load()
        blank = (prediction * np.nan).assign_attrs(prediction.attrs)
        save_result(blank, prediction_path(run, name))
    with pytest.raises(AffectkitError, match="no annotated frame of the split 'test' has a pred"):
        evaluate(run, resamples=10)
    assert not (run / SCORES).exists()
