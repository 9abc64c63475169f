"""Results are stored by the names of recordings: those of another recording are never replaced."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.attribution import attribute
from affectkit.errors import AffectkitError
from affectkit.inference import predict
from affectkit.recording import open_recording, save_recording
from affectkit.results import open_prediction
from tests.conftest import fake_recording


def save_other(folder: Path, **attrs: object) -> Path:
    """Another recording with the name person_8."""
    path = folder / "person_8.zarr"
    save_recording(fake_recording("person_8", 25, 99, crop={"size": 16}, **attrs), path)
    return path


def test_recordings_of_one_name_from_two_folders_are_refused_in_one_call(run, recordings, tmp_path):
    other = save_other(tmp_path / "other")
    renamed = shutil.copytree(other, tmp_path / "renamed.zarr")
    for paths in ([recordings, other], [recordings / "person_8.zarr", renamed]):
        with pytest.raises(AffectkitError, match="two recordings are named 'person_8'") as error:
            predict(run, paths)
        assert str(recordings / "person_8.zarr") in str(error.value)
        assert str(paths[1]) in str(error.value)
        assert "\n" not in str(error.value)
    assert not (run / "predictions").exists()


def test_a_result_of_another_recording_of_the_same_name_is_kept(run, recordings, tmp_path):
    other, first = save_other(tmp_path / "other"), recordings / "person_8.zarr"
    for function in (predict, attribute):
        kept = function(run, [first])[0].load()
        with pytest.raises(AffectkitError, match="the result of another recording") as error:
            function(run, [other])
        assert "\n" not in str(error.value)
        assert f"{first}, not {other}" in str(error.value)
        np.testing.assert_array_equal(function(run, [first])[0]["time"], kept["time"])
    predict(run, [other], save=False)
    shutil.rmtree(first)  # now its prediction can only be that of a recording that is gone
    predict(run, [other])
    assert open_prediction(run, "person_8").attrs["recording_path"] == str(other)


def test_a_copy_of_a_recording_is_the_same_recording(run, tmp_path):
    source = {"video_bytes": 3, "video_ends": "a", "person": ""}
    first = save_other(tmp_path / "first", source=source)
    predict(run, [first])
    copy = save_other(tmp_path / "copy", source=source | {"video": "elsewhere"})
    predict(run, [copy])
    assert open_prediction(run, "person_8").attrs["recording_path"] == str(copy)
    with pytest.raises(AffectkitError, match="the result of another recording"):
        predict(run, [save_other(tmp_path / "person", source=source | {"person": "left"})])
    assert open_recording(first).attrs["source"] == source
