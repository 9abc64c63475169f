import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.recording import (
    ATTRS,
    DIMS,
    check_recording,
    list_recordings,
    make_recording,
    open_recording,
    save_recording,
)
from affectkit.store import write_store

TIME = np.array([0.0, 0.04, 0.09])


def test_variables_that_are_not_given_are_nan_or_false():
    bare = make_recording(TIME, {}, {"recording": "bare"})
    for name in ("annotation", "box", "crop_box", "landmark"):
        assert bare[name].isnull().all()
        assert bare[name].dtype == np.float32
    assert not bare["detected"].any()
    assert bare["frame"].values.tolist() == [0, 1, 2]
    assert set(ATTRS) <= set(bare.attrs)


def test_dims_and_dtypes_of_a_recording(recording):
    assert {name: recording[name].dims for name in DIMS if name in recording.variables} == {
        name: dims
        for name, dims in DIMS.items()
        if name not in ("rating", "rater", "still", "confidence")
    }
    assert recording["frame"].dtype == np.int64
    assert recording["time"].dtype == np.float64
    assert recording["face"].dtype == np.uint8
    assert list(recording["affect"].values) == ["valence", "arousal"]


def test_a_saved_recording_is_read_back_unchanged(recording, tmp_path):
    rating = np.stack([recording["annotation"].values] * 2)
    recording["rating"] = (DIMS["rating"], rating)
    recording["confidence"] = (DIMS["confidence"], np.float32(recording["frame"] / 9))
    recording.attrs["crop"] = {"size": 16, "margin": 0.3}
    save_recording(recording, tmp_path / "one.zarr")
    stored = open_recording(tmp_path / "one.zarr")
    xr.testing.assert_identical(stored.load(), recording)
    for name in ("frame", "time", "annotation", "box", "landmark", "detected", "face"):
        assert stored[name].dtype == recording[name].dtype


def test_a_recording_can_be_saved_again_after_opening(recording, tmp_path):
    save_recording(recording, tmp_path / "one.zarr")
    save_recording(open_recording(tmp_path / "one.zarr"), tmp_path / "two.zarr")
    xr.testing.assert_identical(open_recording(tmp_path / "two.zarr").load(), recording)


def test_faces_written_in_batches_are_the_same(recording, tmp_path):
    faces = recording["face"].values
    batches = (faces[start : start + 7] for start in range(0, len(faces), 7))
    save_recording(recording.drop_vars("face"), tmp_path / "one.zarr", faces=batches)
    stored = open_recording(tmp_path / "one.zarr")
    assert stored["face"].dtype == np.uint8
    np.testing.assert_array_equal(stored["face"], faces)
    assert stored["face"].dims == DIMS["face"]


def test_faces_are_read_when_they_are_used(recording, tmp_path):
    save_recording(recording, tmp_path / "one.zarr")
    assert not open_recording(tmp_path / "one.zarr")["face"].variable._in_memory


def test_an_error_while_writing_faces_leaves_no_file(recording, tmp_path):
    def breaking():
        yield recording["face"].values[:10]
        raise OSError("the video broke off")

    with pytest.raises(OSError, match="broke off"):
        save_recording(recording.drop_vars("face"), tmp_path / "one.zarr", faces=breaking())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [39, 41])
def test_a_wrong_number_of_faces_is_an_error(recording, tmp_path, count):
    faces = np.zeros((count, 16, 16, 3), np.uint8)
    with pytest.raises(
        AffectkitError, match=r"one\.zarr: expected one face for each of 40 frames, got \d+"
    ):
        save_recording(recording.drop_vars("face"), tmp_path / "one.zarr", faces=[faces])
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_no_recording(tmp_path):
    code = """
import os, signal, sys, numpy as np
from pathlib import Path
from affectkit.recording import make_recording, save_recording
def faces():
    yield np.zeros((2, 8, 8, 3), np.uint8)
    os.kill(os.getpid(), signal.SIGKILL)
recording = make_recording(np.arange(4) / 25, {}, {"recording": "a"})
save_recording(recording, Path(sys.argv[1]), faces=faces())
"""
    path = tmp_path / "a.zarr"
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    with pytest.raises(AffectkitError, match="no recordings"):
        list_recordings(tmp_path)
    save_recording(make_recording(TIME, {}, {"recording": "a"}), path)
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]


def test_an_existing_recording_is_an_error_unless_overwrite(recording, tmp_path):
    path = tmp_path / "one.zarr"
    save_recording(recording, path)
    changed = recording.isel(frame=slice(5))
    with pytest.raises(AffectkitError, match="exists already"):
        save_recording(changed, path)
    assert open_recording(path).sizes["frame"] == 40
    save_recording(changed, path, overwrite=True)
    assert open_recording(path).sizes["frame"] == 5


def test_all_missing_variables_are_listed(recording):
    broken = recording.drop_vars(["box", "time"]).transpose("affect", ...)
    del broken.attrs["fps"]
    with pytest.raises(AffectkitError) as raised:
        check_recording(broken)
    message = str(raised.value)
    for part in ("'one' is invalid", "no 'box'", "no 'time'", "'annotation' has dims", "'fps'"):
        assert part in message


def test_all_invalid_values_are_listed(recording):
    time = recording["time"].values.copy()
    time[3] = time[2]
    broken = recording.assign_coords(time=("frame", time), frame=[5, 5, *range(6, 44)])
    broken["annotation"] = broken["annotation"] * 10
    broken["face"] = broken["face"].astype(np.float32)
    with pytest.raises(AffectkitError) as raised:
        check_recording(broken)
    message = str(raised.value)
    for part in ("'frame' should increase", "'time' should increase", "by its range", "uint8"):
        assert part in message


@pytest.mark.parametrize("order", [["arousal", "valence"], ["valence", "dominance"]])
def test_another_order_of_affect_is_an_error(recording, order):
    with pytest.raises(AffectkitError, match=r"expected \['valence', 'arousal'\]"):
        check_recording(recording.assign_coords(affect=order))


def test_a_recording_without_frames_is_an_error():
    with pytest.raises(AffectkitError, match="it has no frames"):
        make_recording(np.array([]), {}, {"recording": "empty"})


def test_a_nan_time_stamp_is_an_error():
    with pytest.raises(AffectkitError, match="'time' should increase"):
        make_recording(np.array([0.0, np.nan, 1.0]), {}, {"recording": "a"})


def test_an_infinite_annotation_is_an_error():
    annotation = np.float32([[0, 0], [np.inf, 0], [0, 0]])
    with pytest.raises(AffectkitError, match="but has inf"):
        make_recording(TIME, {"annotation": annotation}, {"recording": "a"})


def test_gaps_in_frame_numbers_are_allowed():
    sparse = make_recording(TIME, {}, {"recording": "a"}, frame=np.array([2, 3, 9]))
    assert sparse["time"].sel(frame=9) == 0.09


def test_opening_another_folder_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "nothing"):
        with pytest.raises(AffectkitError, match="is not a recording: expected a zarr folder"):
            open_recording(path)


def test_opening_another_zarr_folder_lists_the_missing_variables(recording, tmp_path):
    write_store(recording[["annotation"]], tmp_path / "a.zarr")
    with pytest.raises(AffectkitError, match="no 'box'"):
        open_recording(tmp_path / "a.zarr")


def test_recordings_are_listed_sorted_by_name(three_stored):
    assert [path.stem for path in list_recordings(three_stored)] == [
        "first",
        "second",
        "third",
    ]
    assert list_recordings(three_stored / "first.zarr") == [three_stored / "first.zarr"]
    (three_stored / ".partial-fourth.zarr").mkdir()
    assert len(list_recordings(three_stored)) == 3


def test_a_folder_without_recordings_names_the_command_to_run(tmp_path):
    with pytest.raises(AffectkitError, match="affectkit prepare"):
        list_recordings(tmp_path)


def test_the_faces_of_test_recordings_show_their_affect(recording):
    corner = recording["face"].isel(row=0, col=0, channel=0)
    assert xr.corr(corner.astype(float), recording["annotation"].sel(affect="arousal")) > 0.99
    column = (recording["face"].max(("row", "channel")) == 250).argmax("col")
    assert xr.corr(column.astype(float), recording["annotation"].sel(affect="valence")) > 0.99
