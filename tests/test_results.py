import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.results import (
    attribution_path,
    check_same_frames,
    list_methods,
    list_predictions,
    open_prediction,
    prediction_path,
    recording_path,
    save_result,
)
from affectkit.run import write_metadata
from tests.conftest import fake_metadata


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


def test_integrated_gradients_are_the_first_method(tmp_path):
    assert list_methods(tmp_path, "one") == []
    for method in ("occlusion", "integrated_gradients", "gradient_x_input"):
        attribution_path(tmp_path, method, "one").mkdir(parents=True)
    attribution_path(tmp_path, "other", "two").mkdir(parents=True)
    expected = ["integrated_gradients", "gradient_x_input", "occlusion"]
    assert list_methods(tmp_path, "one") == expected


def test_the_recording_path_is_read_from_the_prediction(
    recording, make_prediction, three_stored, tmp_path
):
    run = tmp_path / "run"
    write_metadata(run, fake_metadata(recordings=str(three_stored)))
    assert recording_path(run, "first") == three_stored / "first.zarr"
    prediction = make_prediction(recording).assign_attrs(
        recording="first", recording_path=str(three_stored / "second.zarr")
    )
    save_result(prediction, prediction_path(run, "first"))
    assert recording_path(run, "first") == three_stored / "second.zarr"
    with pytest.raises(AffectkitError, match="no recording 'nothing'"):
        recording_path(run, "nothing")


@pytest.mark.parametrize("name", ["../up", "/tmp/a", "a/b", ".hidden", "(mean)", "", "a\\b", "a\n"])
def test_a_name_cannot_lead_out_of_the_run(tmp_path, name):
    for path in (prediction_path, lambda run, name: attribution_path(run, "method", name)):
        with pytest.raises(AffectkitError, match="cannot be the name of a recording"):
            path(tmp_path, name)


def test_results_are_not_written_through_a_symbolic_link(recording, make_prediction, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "predictions").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AffectkitError, match="predictions is a symbolic link"):
        save_result(make_prediction(recording), prediction_path(tmp_path / "run", "one"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_the_user_is_not_replaced_by_a_prediction(recording, make_prediction, tmp_path):
    path = prediction_path(tmp_path, "one")
    path.mkdir(parents=True)
    (path / "thesis.tex").write_text("all of it")
    with pytest.raises(AffectkitError, match="was not written by affectkit"):
        save_result(make_prediction(recording), path)
    assert (path / "thesis.tex").read_text() == "all of it"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.drop_vars("prediction"), "no 'prediction'"),
        (lambda p: p.rename(prediction="predicted"), "no 'prediction'"),
        (lambda p: p.isel(affect=[1, 0]), "'affect' is"),
        (lambda p: p.isel(affect=[0]), "'affect' is"),
        (lambda p: p.isel(frame=slice(0)), "no frames"),
        (lambda p: p.isel(frame=[1, 0]), "'frame' should increase"),
        (lambda p: p.astype(np.float64), "should be float32"),
        (lambda p: p * 9, r"should be in \[-1, 1\]"),
        (lambda p: p + np.inf, r"should be in \[-1, 1\]"),
        (lambda p: p.transpose(), "has dims"),
        (lambda p: p.assign_attrs(recording="two"), "of the recording 'two', expected 'one'"),
        (lambda p: p.assign_attrs(recording_path=3), "no attribute 'recording_path'"),
    ],
)
def test_an_invalid_prediction_is_an_error(recording, make_prediction, tmp_path, damage, message):
    with xr.set_options(keep_attrs=True):
        prediction = damage(make_prediction(recording))
    save_result(prediction, prediction_path(tmp_path, "one"))
    with pytest.raises(AffectkitError, match=message) as raised:
        open_prediction(tmp_path, "one")
    assert "run affectkit predict again" in str(raised.value)


def test_a_prediction_of_other_frames_is_an_error(recording, make_prediction):
    check_same_frames(make_prediction(recording), recording)
    with pytest.raises(AffectkitError, match="has 39 frames, recording 'one' has 40"):
        check_same_frames(make_prediction(recording).isel(frame=slice(1, None)), recording)
