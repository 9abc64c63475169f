"""Ensembles: their predictions, and which runs can be combined."""

import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation import compare, evaluate
from affectkit.inference import make_ensemble, predict, tune
from affectkit.inference.ensemble import check_members, mean_prediction
from affectkit.recording import list_recordings
from affectkit.results import open_prediction
from affectkit.run import CARD, METADATA, read_metadata, write_metadata
from affectkit.training.fit import fit
from affectkit.training.model import load_model
from tests.conftest import fake_metadata


@pytest.fixture
def runs(run, recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1, model__temporal="gru", seed=5), recordings, tmp_path / "other")
    return [run, tmp_path / "other"]


def change(run, **changes):
    write_metadata(run, read_metadata(run) | changes)


def test_an_ensemble_is_predicted_evaluated_and_compared_like_a_run(runs, recordings, tmp_path):
    make_ensemble(tmp_path / "mean", runs)
    for path in list_recordings(recordings):
        each = [predict(run, path)["prediction"] for run in runs]
        result = predict(tmp_path / "mean", path)
        np.testing.assert_allclose(result["prediction"], (each[0] + each[1]) / 2, atol=1e-6)
    assert list(result.attrs["members"]) == [str(run.resolve()) for run in runs]
    assert result.identical(open_prediction(tmp_path / "mean", path.stem).load())
    assert len(evaluate(tmp_path / "mean", resamples=50))
    assert len(compare(runs[0], tmp_path / "mean", resamples=50))
    assert (tmp_path / "mean" / CARD).is_file()
    assert read_metadata(tmp_path / "mean")["splits"] == read_metadata(runs[0])["splits"]


def test_members_predict_with_their_own_settings(runs, recordings, tmp_path):
    path = recordings / "person_8.zarr"
    settings = {"smooth": "median", "smooth_seconds": 0.6, "window": 20}
    change(runs[0], predict=settings)
    make_ensemble(tmp_path / "mean", runs)
    each = [predict(run, path)["prediction"] for run in runs]
    result = predict(tmp_path / "mean", path)
    np.testing.assert_allclose(result["prediction"], (each[0] + each[1]) / 2, atol=1e-6)
    assert [m["smooth"] for m in result.attrs["members"].values()] == ["median", "none"]


def test_an_ensemble_can_be_tuned(runs, tmp_path):
    make_ensemble(tmp_path / "mean", runs)
    assert len(tune(tmp_path / "mean")) == 19


def test_std_is_that_of_the_mixture():
    def one(value, std):
        data = {"prediction": ("frame", [value, np.nan]), "std": ("frame", [std, np.nan])}
        return xr.Dataset(data, {"frame": [3, 4]}).astype(np.float32)

    result = mean_prediction([one(0.0, 0.3), one(0.6, 0.5)])
    np.testing.assert_allclose(result["prediction"], [0.3, np.nan], atol=1e-6)
    np.testing.assert_allclose(result["std"], [np.sqrt((0.09 + 0.25) / 2 + 0.09), np.nan])
    assert set(mean_prediction([one(0.0, 0.3), one(0.6, 0.5)[["prediction"]]])) == {"prediction"}


def test_a_test_recording_may_not_be_used_in_training_by_another_run(runs, tmp_path):
    splits = read_metadata(runs[0])["splits"]
    for split in ("train", "validation"):
        moved = {**splits, split: [*splits[split], "person_8"], "test": ["person_7"]}
        change(runs[1], splits=moved)
        for order in (runs, runs[::-1]):
            with pytest.raises(
                AffectkitError, match=rf"'person_8' is in the split 'test' .*in '{split}'"
            ):
                make_ensemble(tmp_path / "mean", order)
    assert not (tmp_path / "mean").exists()


def test_runs_of_different_folds_leave_no_validation_recordings(runs, tmp_path):
    change(runs[0], splits={"train": ["a", "b"], "validation": ["c"], "test": ["t"]})
    change(runs[1], splits={"train": ["a", "c"], "validation": ["b"], "test": ["t"]})
    make_ensemble(tmp_path / "mean", runs)
    assert read_metadata(tmp_path / "mean")["splits"] == {"test": ["t"], "train": ["a", "b", "c"]}
    with pytest.raises(AffectkitError, match="no annotated validation recordings"):
        tune(tmp_path / "mean")


def write_plain(run, members=()):
    """Write the metadata of a run without a model."""
    write_metadata(run, fake_metadata(name=run.name, ensemble=[str(each) for each in members]))


def test_an_ensemble_that_contains_itself_is_an_error(tmp_path):
    first, second, run = (tmp_path / name for name in ("first", "second", "run"))
    write_plain(run)
    write_plain(second, [first, run])
    message = r"cannot contain itself \(\S+first contains \S+second contains \S+first\)"
    with pytest.raises(AffectkitError, match=message):
        make_ensemble(first, [second, run])
    assert not first.exists()
    write_plain(first, [second, run])
    with pytest.raises(AffectkitError, match=message):
        check_members(first)


def test_one_run_under_two_names_is_no_ensemble(tmp_path):
    write_plain(tmp_path / "run")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with pytest.raises(AffectkitError, match="two or more different runs"):
        make_ensemble(tmp_path / "mean", [tmp_path / "run", tmp_path / "link"])


def test_the_error_for_a_missing_member_names_it_and_the_ensemble(tmp_path):
    write_plain(tmp_path / "run")
    write_plain(tmp_path / "mean", [tmp_path / "run", tmp_path / "gone"])
    with pytest.raises(AffectkitError, match=r"ensemble \S+mean is missing: \S+gone is not a run"):
        check_members(tmp_path / "mean")


def test_runs_that_cannot_be_combined_are_an_error(runs, recordings, recipe, tmp_path):
    mean = tmp_path / "mean"
    (tmp_path / "link").symlink_to(runs[0])
    for few in (runs[:1], [runs[0], runs[0]], [runs[0], tmp_path / "link"]):
        with pytest.raises(AffectkitError, match="two or more different runs"):
            make_ensemble(mean, few)
    with pytest.raises(AffectkitError, match="is another run; choose a new folder"):
        make_ensemble(runs[0], runs)
    make_ensemble(mean, runs)
    before = (mean / METADATA).read_bytes()
    make_ensemble(mean, runs)
    assert (mean / METADATA).read_bytes() == before
    with pytest.raises(AffectkitError, match="has no model of its own"):
        load_model(mean)
    with pytest.raises(AffectkitError, match="ensemble of other runs; train into another"):
        fit(recipe(), recordings, mean)
    change(mean, predict={"window": 80})
    with pytest.raises(AffectkitError, match="members predict with their own settings"):
        predict(mean, recordings / "person_8.zarr")
    change(runs[1], crop=read_metadata(runs[1])["crop"] | {"margin": 2})
    with pytest.raises(AffectkitError, match="have different crop settings"):
        make_ensemble(tmp_path / "third", runs)
