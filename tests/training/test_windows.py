import shutil

import numpy as np
import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.models.inputs import landmark_in_crop, resize
from affectkit.recording import list_recordings, open_recording, save_recording
from affectkit.store import write_store
from affectkit.training.windows import (
    Window,
    open_window_source,
    read_batch,
    read_batches,
    read_window,
)


def test_a_short_window_is_padded_with_frames_without_annotation(recording):
    window = read_window(recording, 35, 8)
    assert window.face.shape == (8, 16, 16, 3)
    assert torch.equal(window.face[5], window.face[4])
    assert window.annotation.isfinite().all(1).tolist() == [True] * 5 + [False] * 3


def test_frames_without_a_crop_have_no_annotation(three_recordings):
    window = read_window(three_recordings[2], 0, 12)
    assert window.annotation.isnan().all(1).nonzero().flatten().tolist() == [5, 6, 7, 8]
    assert not window.landmark[5].any()


def test_landmarks_are_relative_to_the_crop(recording):
    left_top = recording["crop_box"].values[0, :2]
    recording["landmark"][0, 0] = left_top
    recording["landmark"][0, 1] = left_top + 16
    recording["landmark"][0, 2] = left_top + 8
    assert landmark_in_crop(recording)[0, :3].tolist() == [[-1, -1], [1, 1], [0, 0]]


def read_as_in_the_first_release(recording, start, length):
    part = recording.isel(frame=slice(start, start + length))
    missing = length - part.sizes["frame"]
    face, landmark = part["face"].values, landmark_in_crop(part)
    annotation = part["annotation"].where(part["crop_box"].notnull().all("edge")).values
    return (
        np.concatenate([face, np.repeat(face[-1:], missing, axis=0)]),
        np.concatenate([landmark, np.repeat(landmark[-1:], missing, axis=0)]),
        np.pad(annotation, ((0, missing), (0, 0)), constant_values=np.nan),
    )


def test_batches_contain_the_planned_windows_in_order(three_stored):
    recordings = [open_recording(path) for path in list_recordings(three_stored)]
    sources = [open_window_source(recording) for recording in recordings]
    counts = [len(source.time) for source in sources]
    starts = [(0, 3), (1, 50), (2, 0), (1, 11), (0, 31), (2, 24), (1, 59), (2, 4)]
    windows = [Window(r, start, min(start + 10, counts[r])) for r, start in starts]
    planned = [windows[:3], windows[3:6], windows[6:]]
    for row, batch in zip(planned, read_batches(sources, planned, 10), strict=True):
        assert batch.face.shape[:2] == (len(row), 10)
        for number, window in enumerate(row):
            expected = read_as_in_the_first_release(recordings[window.recording], window.start, 10)
            for part, values in zip(batch, expected, strict=True):
                np.testing.assert_array_equal(part[number].numpy(), values, strict=True)


@pytest.fixture
def partly_black(make_recording):
    """300 frames of noise; 64 of them are black: a whole file."""
    recording = make_recording("noise", 300)
    recording["face"][:] = np.random.default_rng(0).integers(0, 256, recording["face"].shape)
    recording["face"][64:128] = 0
    return recording


@pytest.mark.parametrize("frames_per_file", [64, 50, 300])
def test_faces_equal_those_read_by_xarray(partly_black, tmp_path, frames_per_file):
    write_store(partly_black, tmp_path / "n.zarr", frames={"face": frames_per_file})
    source = open_window_source(open_recording(tmp_path / "n.zarr"))
    for start, stop in [(0, 300), (0, 64), (63, 65), (100, 101), (70, 120), (128, 300), (191, 193)]:
        face = read_batch([source], [Window(0, start, stop)], stop - start).face[0]
        np.testing.assert_array_equal(face.numpy(), partly_black["face"].values[start:stop])


def test_faces_are_read_from_a_path_that_looks_like_an_address(partly_black, tmp_path):
    save_recording(partly_black, tmp_path / "a::b.zarr")
    source = open_window_source(open_recording(tmp_path / "a::b.zarr"))
    face = read_batch([source], [Window(0, 0, 70)], 70).face[0]
    np.testing.assert_array_equal(face.numpy(), partly_black["face"].values[:70])


def test_a_selection_of_a_stored_recording_is_read_as_a_recording(partly_black, tmp_path):
    save_recording(partly_black, tmp_path / "n.zarr")
    part = open_recording(tmp_path / "n.zarr").isel(frame=slice(150, 250))
    face = read_batch([open_window_source(part)], [Window(0, 5, 95)], 90).face[0]
    np.testing.assert_array_equal(face.numpy(), partly_black["face"].values[155:245])


@pytest.mark.parametrize("change", ["deleted", "written again", "truncated"])
def test_the_error_for_a_recording_that_changed_after_opening_names_it(
    three_stored, change, recording
):
    path = three_stored / "first.zarr"
    source = open_window_source(open_recording(path))
    if change == "deleted":
        shutil.rmtree(path)
    if change == "written again":
        save_recording(recording, path, overwrite=True)
    if change == "truncated":
        (path / "face" / "0.0.0.0").write_bytes(bytes(16 * 16 * 3 * 7))
    with pytest.raises(AffectkitError, match=r"recording 'first' can no longer be read \(.*first"):
        list(read_batches([source], [[Window(0, 0, 8)]], 8))


def test_the_error_for_a_recording_deleted_before_opening_names_it(three_stored):
    recording = open_recording(three_stored / "first.zarr")
    shutil.rmtree(three_stored / "first.zarr")
    with pytest.raises(AffectkitError, match="recording 'first' can no longer be read"):
        open_window_source(recording)


def test_resize_keeps_a_uniform_face():
    face = torch.full((2, 5, 48, 48, 3), 77, dtype=torch.uint8)
    assert resize(face, 32).shape == (2, 5, 32, 32, 3)
    assert (resize(face, 32) == 77).all()
