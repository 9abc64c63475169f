from dataclasses import asdict

import numpy as np
import pytest
import torch
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.faces.crop import Crop
from affectkit.inference import predict
from affectkit.recording import list_recordings, open_recording, save_recording
from affectkit.results import list_predictions, open_prediction, prediction_path
from affectkit.run import read_metadata, write_metadata
from affectkit.stamps import STAMP
from affectkit.training.model import load_model
from affectkit.video.writing import write_video
from tests.conftest import fake_recording


def without_stamp(result):
    """The attributes; only a stored result has a stamp."""
    return {name: value for name, value in result.attrs.items() if name != STAMP}


def test_every_frame_is_predicted_and_the_prediction_is_saved(run, recordings):
    result = predict(run, recordings / "person_8.zarr")
    recording = open_recording(recordings / "person_8.zarr")
    assert result["prediction"].dims == ("frame", "affect")
    assert result["prediction"].dtype == np.float32
    assert (result["time"] == recording["time"]).all()
    assert abs(result["prediction"]).max() <= 1
    assert result.identical(open_prediction(run, "person_8").load())
    assert result.attrs["recording_path"] == str((recordings / "person_8.zarr").resolve())


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_the_chunk_size_does_not_change_the_prediction(run, recordings, chunk):
    whole = predict(run, recordings / "person_8.zarr", chunk=1000)
    chunks = predict(run, recordings / "person_8.zarr", chunk=chunk)
    xr.testing.assert_allclose(whole, chunks, atol=1e-5)


def test_frames_without_a_face_are_nan(run, tmp_path):
    recording = fake_recording("gap", 30, crop={"size": 16})
    recording["crop_box"][10:14] = np.nan
    save_recording(recording, tmp_path / "gap.zarr")
    missing = predict(run, tmp_path / "gap.zarr")["prediction"].isnull().any("affect")
    assert np.flatnonzero(missing).tolist() == [10, 11, 12, 13]


def test_a_recording_with_other_crop_settings_is_an_error(run, tmp_path):
    save_recording(fake_recording("wide", crop={"size": 16, "margin": 2}), tmp_path / "wide.zarr")
    with pytest.raises(
        AffectkitError, match=r"crop settings margin=2, the run was trained with margin"
    ):
        predict(run, tmp_path / "wide.zarr")
    assert not prediction_path(run, "wide").exists()


def test_a_folder_that_is_not_a_run_is_an_error(tmp_path, recordings):
    with pytest.raises(AffectkitError, match=r"is not a run: expected a folder with a run\.json"):
        predict(tmp_path, recordings / "person_8.zarr")


def test_paths_can_be_text(run, recordings):
    expected = predict(run, recordings / "person_8.zarr", save=False)
    result = predict(str(run), str(recordings / "person_8.zarr"))
    xr.testing.assert_equal(result, expected)
    assert without_stamp(result) == expected.attrs


def test_a_list_gives_a_list_in_order_and_may_contain_folders(run, recordings):
    paths = list_recordings(recordings)
    steps = []
    results = predict(run, [recordings], progress=lambda *step: steps.append(step))
    assert [each.attrs["recording"] for each in results] == [path.stem for path in paths]
    assert list_predictions(run) == [path.stem for path in paths]
    assert steps == [("predict", done, 8) for done in range(1, 9)]
    pair = predict(run, [paths[3], open_recording(paths[1])], save=False)
    for result, stored in zip(pair, [results[3], results[1]], strict=True):
        xr.testing.assert_equal(result, stored)
        assert result.attrs == without_stamp(stored)
    assert len(predict(run, [paths[0]], save=False)) == 1


def test_an_open_recording_is_predicted_like_its_path(run, recordings):
    path = recordings / "person_8.zarr"
    expected = predict(run, path, save=False)
    xr.testing.assert_identical(predict(run, open_recording(path), save=False), expected)
    in_memory = predict(run, open_recording(path).load().copy(deep=True).drop_encoding())
    xr.testing.assert_identical(in_memory["prediction"], expected["prediction"])
    assert in_memory.attrs["recording_path"] == ""
    assert list_predictions(run) == ["person_8"]


def test_a_recording_without_faces_is_an_error(run, recordings):
    without = open_recording(recordings / "person_8.zarr").drop_vars("face")
    with pytest.raises(AffectkitError, match="'person_8' has no 'face'"):
        predict(run, without)


def test_save_false_writes_nothing(run, recordings):
    before = sorted(run.rglob("*"))
    predict(run, recordings / "person_8.zarr", save=False)
    assert sorted(run.rglob("*")) == before


def test_a_failed_write_leaves_no_prediction(run, recordings, monkeypatch):
    def fail(dataset, path):
        path.mkdir()
        raise OSError("disk full")

    monkeypatch.setattr("affectkit.results.write_store", fail)
    with pytest.raises(OSError, match="disk full"):
        predict(run, recordings / "person_8.zarr")
    assert list((run / "predictions").iterdir()) == []


def test_a_loaded_model_predicts_like_its_run_and_is_not_changed(run, recordings):
    path = recordings / "person_8.zarr"
    model = load_model(run).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = predict(model, path, save=False, smooth="median")
    expected = predict(run, path, save=False, smooth="median")
    xr.testing.assert_allclose(result, expected, atol=1e-5)
    assert result.attrs == expected.attrs
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.training


def test_a_loaded_model_cannot_save_and_needs_its_metadata(run, recordings):
    model, path = load_model(run), recordings / "person_8.zarr"
    with pytest.raises(AffectkitError, match="set save=False, or give the run folder"):
        predict(model, path)
    with pytest.raises(AffectkitError, match="set workers=1"):
        predict(model, path, save=False, workers=2)
    model.metadata = None
    with pytest.raises(AffectkitError, match="has no metadata"):
        predict(model, path, save=False)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "unknown device 'gpu': expected auto, cpu, cuda"),
        ("xla", "unknown device 'xla'"),
        ("cuda:99", "device 'cuda:99' is not available on this computer"),
        ("cpu:3", "device 'cpu:3' is not available"),
    ],
)
def test_a_device_that_is_not_available_is_an_error(run, recordings, device, message):
    with pytest.raises(AffectkitError, match=message):
        predict(run, recordings / "person_8.zarr", device=device)


def test_a_path_that_does_not_exist_is_an_error(run, recordings):
    for path in ("gone.zarr", "gone.mp4", recordings / "gone"):
        with pytest.raises(AffectkitError, match=r"gone.* does not exist: expected a recording"):
            predict(run, path)
    with pytest.raises(AffectkitError, match="no recordings in"):
        predict(run, [run])


def test_a_single_folder_of_recordings_is_an_error_that_says_to_pass_a_list(run, recordings):
    message = r"is a folder of recordings, .* pass a list, ak\.list_recordings\('.*'\)"
    with pytest.raises(AffectkitError, match=message):
        predict(run, recordings)


def test_two_recordings_of_one_name_can_only_be_predicted_without_saving(run, recordings):
    path = recordings / "person_8.zarr"
    with pytest.raises(AffectkitError, match="two recordings are named 'person_8'"):
        predict(run, [path, path])
    assert len(predict(run, [path, path], save=False)) == 2


def test_worker_processes_give_the_same_predictions(run, recordings):
    paths = list_recordings(recordings)[:3]
    expected = predict(run, paths, save=False)
    results = predict(run, [paths[0], open_recording(paths[1]), str(paths[2])], workers=2)
    for result, single in zip(results, expected, strict=True):
        xr.testing.assert_allclose(result, single, atol=1e-6)
        assert without_stamp(result) == single.attrs
    assert list_predictions(run) == [path.stem for path in paths]


def grey_video(folder):
    """A video of 5 frames without a face."""
    frames = ((k / 10, np.full((96, 96, 3), 90, np.uint8)) for k in range(5))
    write_video(folder / "grey.mp4", frames)
    return folder / "grey.mp4"


def test_a_video_is_prepared_into_the_run_with_its_crop_settings(run, recordings, tmp_path):
    write_metadata(run, read_metadata(run) | {"crop": asdict(Crop(size=16))})
    with pytest.warns(UserWarning, match="no face found"):
        result = predict(run, grey_video(tmp_path))
    prepared = run / "recordings" / "grey.zarr"
    assert result.attrs["recording_path"] == str(prepared.resolve())
    assert open_recording(prepared).attrs["crop"]["size"] == 16
    assert result.sizes["frame"] == 5
    assert result["prediction"].isnull().all()
    assert list_predictions(run) == ["grey"]
    with pytest.warns(UserWarning, match="no face found"):
        by_model = predict(load_model(run), [tmp_path / "grey.mp4"], save=False)[0]
    xr.testing.assert_identical(by_model["prediction"], result["prediction"])
