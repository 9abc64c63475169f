import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.run import (
    METADATA,
    attribution_path,
    list_predictions,
    list_runs,
    open_prediction,
    prediction_path,
    read_metadata,
    read_scores,
    recording_path,
    save_result,
    write_metadata,
    write_scores,
)


def test_metadata_is_read_as_it_was_written(tmp_path):
    metadata = {"affect": ["valence", "arousal"], "crop": {"size": 112}, "splits": {"test": ["a"]}}
    write_metadata(tmp_path, metadata)
    assert read_metadata(tmp_path) == {"schema": 2} | metadata
    assert read_metadata(str(tmp_path)) == read_metadata(tmp_path)


def test_a_folder_without_metadata_is_not_a_run(tmp_path):
    with pytest.raises(AffectkitError, match=r"is not a run: expected a folder with a run.json"):
        read_metadata(tmp_path)


def test_metadata_that_is_not_json_is_an_error(tmp_path):
    (tmp_path / METADATA).write_text("{half")
    with pytest.raises(AffectkitError, match="is not valid JSON"):
        read_metadata(tmp_path)


def test_metadata_of_a_newer_version_is_an_error(tmp_path):
    (tmp_path / METADATA).write_text(json.dumps({"schema": 99}))
    with pytest.raises(AffectkitError, match=r"newer affectkit \(schema 99.*update affectkit"):
        read_metadata(tmp_path)


def test_metadata_of_an_older_version_is_an_error(tmp_path):
    (tmp_path / METADATA).write_text(json.dumps({"schema": 1}))
    with pytest.raises(AffectkitError, match=r"older affectkit \(schema 1, .*train the run again"):
        read_metadata(tmp_path)


@pytest.mark.parametrize("text", ["[]", "3", '{"schema": "new"}'])
def test_json_that_is_not_metadata_is_an_error(tmp_path, text):
    (tmp_path / METADATA).write_text(text)
    with pytest.raises(AffectkitError, match=METADATA):
        read_metadata(tmp_path)


def test_runs_are_listed_by_name(tmp_path):
    for name in ("joint", "cnn"):
        write_metadata(tmp_path / name, {})
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


def test_partial_predictions_are_not_listed(tmp_path):
    (tmp_path / "predictions" / ".partial-a.zarr").mkdir(parents=True)
    assert list_predictions(tmp_path) == []
    assert list_predictions(tmp_path / "nothing") == []


def test_names_with_dots_are_kept(recording, make_prediction, tmp_path):
    save_result(make_prediction(recording), prediction_path(tmp_path, "video.1"))
    assert list_predictions(tmp_path) == ["video.1"]


def test_a_missing_prediction_is_an_error(tmp_path):
    with pytest.raises(AffectkitError, match="is not a prediction"):
        open_prediction(tmp_path, "one")


def test_attributions_are_stored_by_method(tmp_path):
    path = attribution_path(tmp_path, "gradient_x_input", "one")
    assert path == tmp_path / "attributions" / "gradient_x_input" / "one.zarr"


def test_the_recording_path_is_read_from_the_prediction(
    recording, make_prediction, three_stored, tmp_path
):
    run = tmp_path / "run"
    write_metadata(run, {"recordings": str(three_stored)})
    assert recording_path(run, "first") == three_stored / "first.zarr"
    prediction = make_prediction(recording).assign_attrs(
        recording_path=str(three_stored / "second.zarr")
    )
    save_result(prediction, prediction_path(run, "first"))
    assert recording_path(run, "first") == three_stored / "second.zarr"
    with pytest.raises(AffectkitError, match="no recording 'nothing'"):
        recording_path(run, "nothing")


def test_scores_keep_names_that_look_like_numbers(tmp_path):
    scores = pd.DataFrame({"recording": ["007", "(all)"], "value": [0.1234567, np.nan]})
    write_scores(tmp_path, scores)
    stored = read_scores(tmp_path)
    assert stored["recording"].tolist() == ["007", "(all)"]
    assert stored["value"].tolist() == pytest.approx([0.123457, np.nan], nan_ok=True)


def test_missing_scores_name_the_command_to_run(tmp_path):
    with pytest.raises(AffectkitError, match="run: affectkit evaluate"):
        read_scores(tmp_path)
