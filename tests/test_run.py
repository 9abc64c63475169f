import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.run import (
    CONTRACT,
    attribution_path,
    list_predictions,
    list_runs,
    open_prediction,
    prediction_path,
    read_contract,
    read_scores,
    recording_store,
    save_result,
    write_contract,
    write_scores,
)


def test_a_contract_is_read_as_it_was_written(tmp_path):
    contract = {"affect": ["valence", "arousal"], "crop": {"size": 112}, "splits": {"test": ["a"]}}
    write_contract(tmp_path, contract)
    assert read_contract(tmp_path) == {"schema": 1} | contract


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(AffectkitError, match=r"is not a run: expected a folder with run.json"):
        read_contract(tmp_path)


def test_a_broken_contract_says_so(tmp_path):
    (tmp_path / CONTRACT).write_text("{half")
    with pytest.raises(AffectkitError, match="is not JSON"):
        read_contract(tmp_path)


def test_a_contract_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / CONTRACT).write_text(json.dumps({"schema": 99}))
    with pytest.raises(AffectkitError, match=r"has schema 99.*update it"):
        read_contract(tmp_path)


@pytest.mark.parametrize("text", ["[]", "3", '{"schema": "new"}'])
def test_a_contract_that_is_no_contract_is_refused(tmp_path, text):
    (tmp_path / CONTRACT).write_text(text)
    with pytest.raises(AffectkitError, match=CONTRACT):
        read_contract(tmp_path)


def test_runs_are_listed_by_name(tmp_path):
    for name in ("joint", "cnn"):
        write_contract(tmp_path / name, {})
    (tmp_path / "notes").mkdir()
    assert [run.name for run in list_runs(tmp_path)] == ["cnn", "joint"]
    assert list_runs(tmp_path / "cnn") == [tmp_path / "cnn"]
    with pytest.raises(AffectkitError, match="no runs in"):
        list_runs(tmp_path / "notes")


def test_a_prediction_round_trip_changes_nothing(recording, make_prediction, tmp_path):
    prediction = make_prediction(recording)
    save_result(prediction, prediction_path(tmp_path, "one"))
    xr.testing.assert_identical(open_prediction(tmp_path, "one").load(), prediction)
    assert list_predictions(tmp_path) == ["one"]


def test_a_prediction_replaces_an_older_one(recording, make_prediction, tmp_path):
    path = prediction_path(tmp_path, "one")
    save_result(make_prediction(recording), path)
    save_result(make_prediction(recording).isel(frame=slice(3)), path)
    assert open_prediction(tmp_path, "one").sizes["frame"] == 3


def test_predictions_under_way_are_not_listed(tmp_path):
    (tmp_path / "predictions" / ".partial-a.zarr").mkdir(parents=True)
    assert list_predictions(tmp_path) == []
    assert list_predictions(tmp_path / "nothing") == []


def test_names_with_dots_stay_whole(recording, make_prediction, tmp_path):
    save_result(make_prediction(recording), prediction_path(tmp_path, "video.1"))
    assert list_predictions(tmp_path) == ["video.1"]


def test_a_missing_prediction_says_so(tmp_path):
    with pytest.raises(AffectkitError, match="is not a prediction"):
        open_prediction(tmp_path, "one")


def test_attributions_lie_by_method(tmp_path):
    path = attribution_path(tmp_path, "gradient_x_input", "one")
    assert path == tmp_path / "attributions" / "gradient_x_input" / "one.zarr"


def test_the_store_is_where_the_prediction_says(recording, make_prediction, stores, tmp_path):
    run = tmp_path / "run"
    write_contract(run, {"recordings": str(stores)})
    assert recording_store(run, "first") == stores / "first.zarr"
    prediction = make_prediction(recording).assign_attrs(store=str(stores / "second.zarr"))
    save_result(prediction, prediction_path(run, "first"))
    assert recording_store(run, "first") == stores / "second.zarr"
    with pytest.raises(AffectkitError, match="no recording 'nothing'"):
        recording_store(run, "nothing")


def test_scores_keep_names_that_look_like_numbers(tmp_path):
    scores = pd.DataFrame({"recording": ["007", "(all)"], "value": [0.1234567, np.nan]})
    write_scores(tmp_path, scores)
    stored = read_scores(tmp_path)
    assert stored["recording"].tolist() == ["007", "(all)"]
    assert stored["value"].tolist() == pytest.approx([0.123457, np.nan], nan_ok=True)


def test_missing_scores_say_what_to_run(tmp_path):
    with pytest.raises(AffectkitError, match="run: affectkit evaluate"):
        read_scores(tmp_path)
