"""The mean of several runs: what it predicts, and which runs may be averaged."""

import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation import compare, evaluate
from affectkit.predict import make_ensemble, predict, tune
from affectkit.predict.reading import mix
from affectkit.recording import list_recordings
from affectkit.run import CARD, CONTRACT, open_prediction, read_contract, write_contract
from affectkit.training.checkpoint import load_model
from affectkit.training.fit import fit


@pytest.fixture
def runs(run, recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1, model__temporal="gru", seed=5), recordings, tmp_path / "other")
    return [run, tmp_path / "other"]


def change(run, **changes):
    write_contract(run, read_contract(run) | changes)


def test_the_mean_is_predicted_scored_and_compared_like_a_run(runs, recordings, tmp_path):
    make_ensemble(tmp_path / "mean", runs)
    for store in list_recordings(recordings):
        each = [predict(run, store)["prediction"] for run in runs]
        result = predict(tmp_path / "mean", store)
        np.testing.assert_allclose(result["prediction"], (each[0] + each[1]) / 2, atol=1e-6)
    assert list(result.attrs["members"]) == [str(run.resolve()) for run in runs]
    assert result.identical(open_prediction(tmp_path / "mean", store.stem).load())
    assert len(evaluate(tmp_path / "mean", resamples=50))
    assert len(compare(runs[0], tmp_path / "mean", resamples=50))
    assert (tmp_path / "mean" / CARD).is_file()
    assert read_contract(tmp_path / "mean")["splits"] == read_contract(runs[0])["splits"]


def test_a_member_predicts_as_its_own_contract_says(runs, recordings, tmp_path):
    store = recordings / "person_8.zarr"
    how = {"smooth": "median", "smooth_seconds": 0.6, "window": 20}
    change(runs[0], predict=how)
    make_ensemble(tmp_path / "mean", runs)
    each = [predict(run, store)["prediction"] for run in runs]
    result = predict(tmp_path / "mean", store)
    np.testing.assert_allclose(result["prediction"], (each[0] + each[1]) / 2, atol=1e-6)
    assert [m["smooth"] for m in result.attrs["members"].values()] == ["median", "none"]


def test_a_mean_can_be_tuned(runs, tmp_path):
    make_ensemble(tmp_path / "mean", runs)
    assert len(tune(tmp_path / "mean")) == 19


def test_spreads_are_those_of_a_mixture_by_hand():
    def one(value, spread):
        data = {"prediction": ("frame", [value, np.nan]), "spread": ("frame", [spread, np.nan])}
        return xr.Dataset(data, {"frame": [3, 4]}).astype(np.float32)

    mixed = mix([one(0.0, 0.3), one(0.6, 0.5)])
    np.testing.assert_allclose(mixed["prediction"], [0.3, np.nan], atol=1e-6)
    np.testing.assert_allclose(mixed["spread"], [np.sqrt((0.09 + 0.25) / 2 + 0.09), np.nan])
    assert set(mix([one(0.0, 0.3), one(0.6, 0.5)[["prediction"]]])) == {"prediction"}


def test_what_one_has_seen_cannot_test_the_other(runs, tmp_path):
    splits = read_contract(runs[0])["splits"]
    for split in ("train", "validation"):
        moved = {**splits, split: [*splits[split], "person_8"], "test": ["person_7"]}
        change(runs[1], splits=moved)
        for order in (runs, runs[::-1]):
            with pytest.raises(
                AffectkitError, match=rf"'person_8' is in the split 'test' .*in '{split}'"
            ):
                make_ensemble(tmp_path / "mean", order)
    assert not (tmp_path / "mean").exists()


def test_of_folds_nothing_validates_the_mean(runs, tmp_path):
    change(runs[0], splits={"train": ["a", "b"], "validation": ["c"], "test": ["t"]})
    change(runs[1], splits={"train": ["a", "c"], "validation": ["b"], "test": ["t"]})
    make_ensemble(tmp_path / "mean", runs)
    assert read_contract(tmp_path / "mean")["splits"] == {"test": ["t"], "train": ["a", "b", "c"]}
    with pytest.raises(AffectkitError, match="no annotated validation recordings"):
        tune(tmp_path / "mean")


def test_runs_that_cannot_be_averaged_are_refused(runs, recordings, recipe, tmp_path):
    mean = tmp_path / "mean"
    for few in (runs[:1], [runs[0], runs[0]]):
        with pytest.raises(AffectkitError, match="two or more different runs"):
            make_ensemble(mean, few)
    with pytest.raises(AffectkitError, match="is another run already"):
        make_ensemble(runs[0], runs)
    make_ensemble(mean, runs)
    before = (mean / CONTRACT).read_bytes()
    make_ensemble(mean, runs)
    assert (mean / CONTRACT).read_bytes() == before
    with pytest.raises(AffectkitError, match="has no net of its own"):
        load_model(mean)
    with pytest.raises(AffectkitError, match="mean of other runs; train into another"):
        fit(recipe(), recordings, mean)
    change(mean, predict={"window": 80})
    with pytest.raises(AffectkitError, match="windows are for single runs"):
        predict(mean, recordings / "person_8.zarr")
    change(runs[1], crop=read_contract(runs[1])["crop"] | {"margin": 2})
    with pytest.raises(AffectkitError, match="cut differently"):
        make_ensemble(tmp_path / "third", runs)
