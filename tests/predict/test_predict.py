import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.predict import gather, predict
from affectkit.recording import open_recording, save_recording
from affectkit.run import open_prediction
from tests.conftest import fake_recording


def test_every_frame_is_predicted_and_kept(run, recordings):
    result = predict(run, recordings / "person_8.zarr")
    recording = open_recording(recordings / "person_8.zarr")
    assert result["prediction"].dims == ("frame", "affect")
    assert result["prediction"].dtype == np.float32
    assert (result["time"] == recording["time"]).all()
    assert abs(result["prediction"]).max() <= 1
    assert result.identical(open_prediction(run, "person_8").load())
    assert result.attrs["store"] == str((recordings / "person_8.zarr").resolve())


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_the_chunk_does_not_matter(run, recordings, chunk):
    whole = predict(run, recordings / "person_8.zarr", chunk=1000)
    pieces = predict(run, recordings / "person_8.zarr", chunk=chunk)
    xr.testing.assert_allclose(whole, pieces, atol=1e-5)


def test_frames_without_a_face_are_not_guessed(run, tmp_path):
    recording = fake_recording("gap", 30, crop={"size": 16})
    recording["crop_box"][10:14] = np.nan
    save_recording(recording, tmp_path / "gap.zarr")
    missing = predict(run, tmp_path / "gap.zarr")["prediction"].isnull().any("affect")
    assert np.flatnonzero(missing).tolist() == [10, 11, 12, 13]


def test_a_recording_cut_otherwise_is_refused(run, tmp_path):
    save_recording(fake_recording("wide", crop={"size": 16, "margin": 2}), tmp_path / "wide.zarr")
    with pytest.raises(AffectkitError, match=r"cut with margin=2, the run was trained with margin"):
        predict(run, tmp_path / "wide.zarr")


def test_a_folder_that_is_no_run_says_what_one_is(tmp_path, recordings):
    with pytest.raises(AffectkitError, match=r"is not a run: expected a folder with run\.json"):
        predict(tmp_path, recordings / "person_8.zarr")


def test_gather_takes_recordings_and_folders_of_them(run, recordings):
    assert gather(run, [recordings / "person_1.zarr"]) == [recordings / "person_1.zarr"]
    assert len(gather(run, [recordings])) == 8
    with pytest.raises(AffectkitError, match="no recordings in"):
        gather(run, [run])
