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

TIME = np.array([0.0, 0.04, 0.09])


def test_what_is_left_out_is_nan_or_false():
    bare = make_recording(TIME, {}, {"recording": "bare"})
    for name in ("annotation", "box", "crop_box", "landmark"):
        assert bare[name].isnull().all()
        assert bare[name].dtype == np.float32
    assert not bare["detected"].any()
    assert bare["frame"].values.tolist() == [0, 1, 2]
    assert set(ATTRS) <= set(bare.attrs)


def test_dims_and_types_are_those_of_the_contract(recording):
    assert {name: recording[name].dims for name in DIMS if name in recording.variables} == {
        name: dims for name, dims in DIMS.items() if name not in ("rating", "still")
    }
    assert recording["frame"].dtype == np.int64
    assert recording["time"].dtype == np.float64
    assert recording["face"].dtype == np.uint8
    assert list(recording["affect"].values) == ["valence", "arousal"]


def test_a_round_trip_changes_nothing(recording, tmp_path):
    rating = np.stack([recording["annotation"].values] * 2)
    recording["rating"] = (DIMS["rating"], rating)
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


def test_pixels_stay_on_disk_until_asked_for(recording, tmp_path):
    save_recording(recording, tmp_path / "one.zarr")
    assert not open_recording(tmp_path / "one.zarr")["face"].variable._in_memory


def test_faces_that_break_off_leave_nothing(recording, tmp_path):
    def breaking():
        yield recording["face"].values[:10]
        raise OSError("the video broke off")

    with pytest.raises(OSError, match="broke off"):
        save_recording(recording.drop_vars("face"), tmp_path / "one.zarr", faces=breaking())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [39, 41])
def test_another_number_of_faces_is_refused(recording, tmp_path, count):
    faces = np.zeros((count, 16, 16, 3), np.uint8)
    with pytest.raises(AffectkitError, match=r"^one.zarr: 40 frames but \d+ faces"):
        save_recording(recording.drop_vars("face"), tmp_path / "one.zarr", faces=[faces])
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_nothing_under_the_final_name(tmp_path):
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


def test_overwriting_happens_only_when_asked(recording, tmp_path):
    path = tmp_path / "one.zarr"
    save_recording(recording, path)
    changed = recording.isel(frame=slice(5))
    with pytest.raises(AffectkitError, match="exists already"):
        save_recording(changed, path)
    assert open_recording(path).sizes["frame"] == 40
    save_recording(changed, path, overwrite=True)
    assert open_recording(path).sizes["frame"] == 5


def test_all_missing_parts_are_listed_at_once(recording):
    broken = recording.drop_vars(["box", "time"]).transpose("affect", ...)
    del broken.attrs["fps"]
    with pytest.raises(AffectkitError) as raised:
        check_recording(broken)
    message = str(raised.value)
    for part in ("'one' is not sound", "no 'box'", "no 'time'", "'annotation' has dims", "'fps'"):
        assert part in message


def test_all_wrong_values_are_listed_at_once(recording):
    time = recording["time"].values.copy()
    time[3] = time[2]
    broken = recording.assign_coords(time=("frame", time), frame=[5, 5, *range(6, 44)])
    broken["annotation"] = broken["annotation"] * 10
    broken["face"] = broken["face"].astype(np.float32)
    with pytest.raises(AffectkitError) as raised:
        check_recording(broken)
    message = str(raised.value)
    for part in ("'frame' should rise", "'time' should rise", "divide by its range", "uint8"):
        assert part in message


@pytest.mark.parametrize("order", [["arousal", "valence"], ["valence", "dominance"]])
def test_another_order_of_affect_is_refused(recording, order):
    with pytest.raises(AffectkitError, match=r"expected \['valence', 'arousal'\]"):
        check_recording(recording.assign_coords(affect=order))


def test_a_recording_without_frames_is_refused():
    with pytest.raises(AffectkitError, match="it has no frames"):
        make_recording(np.array([]), {}, {"recording": "empty"})


def test_an_undefined_time_is_refused():
    with pytest.raises(AffectkitError, match="'time' should rise"):
        make_recording(np.array([0.0, np.nan, 1.0]), {}, {"recording": "a"})


def test_an_infinite_annotation_is_refused():
    annotation = np.float32([[0, 0], [np.inf, 0], [0, 0]])
    with pytest.raises(AffectkitError, match="reaches inf"):
        make_recording(TIME, {"annotation": annotation}, {"recording": "a"})


def test_gaps_in_frame_numbers_are_allowed():
    sparse = make_recording(TIME, {}, {"recording": "a"}, frame=np.array([2, 3, 9]))
    assert sparse["time"].sel(frame=9) == 0.09


def test_opening_something_else_says_so(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "nothing"):
        with pytest.raises(AffectkitError, match="is not a recording: expected a zarr folder"):
            open_recording(path)


def test_opening_a_store_of_something_else_lists_what_lacks(recording, tmp_path):
    recording[["annotation"]].to_zarr(tmp_path / "a.zarr", zarr_format=2, consolidated=False)
    with pytest.raises(AffectkitError, match="no 'box'"):
        open_recording(tmp_path / "a.zarr")


def test_recordings_are_listed_by_name(stores):
    assert [path.stem for path in list_recordings(stores)] == ["first", "second", "third"]
    assert list_recordings(stores / "first.zarr") == [stores / "first.zarr"]
    (stores / ".partial-fourth.zarr").mkdir()
    assert len(list_recordings(stores)) == 3


def test_a_folder_without_recordings_says_how_to_make_them(tmp_path):
    with pytest.raises(AffectkitError, match="affectkit prepare"):
        list_recordings(tmp_path)


def test_shared_recordings_show_affect_in_their_pixels(recording):
    corner = recording["face"].isel(row=0, col=0, channel=0)
    assert xr.corr(corner.astype(float), recording["annotation"].sel(affect="arousal")) > 0.99
    column = (recording["face"].max(("row", "channel")) == 250).argmax("col")
    assert xr.corr(column.astype(float), recording["annotation"].sel(affect="valence")) > 0.99
