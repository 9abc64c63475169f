"""Tests on each test video with known frames: order, time stamps, overlay, recording."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import xarray as xr

from affectkit.overlay import PREDICTION, write_overlay
from affectkit.preparation import prepare_video
from affectkit.recording import AFFECT, make_recording, open_recording
from affectkit.video import browser_playable, probe, read_times
from tests.video.clips import read
from tests.video.truth import CASES, Truth, picture, read_number, write_truth


@pytest.fixture(scope="session", params=CASES)
def truth(request, tmp_path_factory) -> Truth:
    return write_truth(tmp_path_factory.mktemp("truth"), request.param)


def expected_warning(truth: Truth) -> AbstractContextManager:
    """Expect the warning of this video, or none."""
    return pytest.warns(UserWarning, match=truth.case.warns) if truth.case.warns else nullcontext()


def shown_stamps(path: Path) -> np.ndarray:
    """The presentation time stamps of all displayed packets, in display order."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        stamps = np.sort([float(p.pts * stream.time_base) for p in packets if not p.is_discard])
        return stamps - min(0.0, stamps[0])  # times are never negative


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.7, 3])
def test_numbers_stay_readable_when_scaled_and_compressed(scale):
    for number in (0, 1, 85, 170, 255):
        scaled = cv2.resize(picture(number, size=(1, 3)), None, fx=scale, fy=scale)
        _, jpeg = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 25])
        assert read_number(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == number


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_number_on_a_rotated_picture_is_an_error(turns):
    with pytest.raises(ValueError, match="no readable number"):
        read_number(np.rot90(picture(37), turns))


def test_each_decodable_frame_is_read_once_in_order_with_its_time_stamp(truth):
    with expected_warning(truth):
        times, pictures = read(truth.path)
    assert [read_number(rgb) for rgb in pictures] == truth.number
    np.testing.assert_allclose(times, truth.time, atol=1e-6)
    assert pictures.shape[1:3] == truth.shape
    info = probe(truth.path)
    assert (info.height, info.width) == truth.shape
    assert info.frames == truth.case.header_frames
    with expected_warning(truth):
        np.testing.assert_array_equal(read_times(truth.path), times)


def test_times_are_the_presentation_time_stamps_of_the_displayed_packets(truth):
    """The time stamps are read with PyAV only; files without them have a known frame rate."""
    if truth.path.suffix in (".avi", ".h264"):
        stamps = np.array(truth.case.time, np.float64)
    else:
        stamps = shown_stamps(truth.path)
    with expected_warning(truth):
        times = read_times(truth.path)
    if truth.case.decodable is None or len(stamps) == len(times):
        np.testing.assert_allclose(times, stamps, atol=1e-9)
    else:  # some of the packets do not decode
        assert set(times.round(9)) < set(stamps.round(9))


def test_the_overlay_shows_the_prediction_of_each_frame_at_its_time(truth, tmp_path):
    recording = recording_of(truth)
    out = tmp_path / "overlay.mp4"
    with expected_warning(truth):
        write_overlay(recording, prediction_for(recording), out)
    times, pictures = read(out)
    assert [read_number(rgb) for rgb in pictures] == truth.number
    np.testing.assert_allclose(times, recording["time"], rtol=0, atol=1e-12)
    places = [dot_column(rgb) for rgb in pictures]
    middle = truth.shape[1] - 31.5  # of the valence-arousal plane, 55 pixels wide
    np.testing.assert_allclose(places, middle + 27.5 * valences(len(times)), atol=2)


def test_the_copy_for_browsers_has_the_same_frames_and_times(truth, tmp_path):
    with warnings.catch_warnings(action="ignore"):  # only if a copy is made
        copy = browser_playable(truth.path, tmp_path)
        times, pictures = read(copy)
    assert [read_number(rgb) for rgb in pictures] == truth.number
    np.testing.assert_allclose(times, truth.time, atol=1e-6)


def test_the_prepared_recording_has_exactly_these_frames_and_times(truth, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store = prepare_video(truth.path, tmp_path)
    recording = open_recording(store)
    np.testing.assert_array_equal(recording["frame"], np.arange(len(truth.number)))
    np.testing.assert_allclose(recording["time"], truth.time, atol=1e-6)
    assert (recording.attrs["height"], recording.attrs["width"]) == truth.shape
    messages = [str(warning.message) for warning in caught]
    assert sum(truth.case.warns in text for text in messages) == 1 or not truth.case.warns
    assert any("no face found" in text for text in messages) != truth.case.face
    if not truth.case.face:
        assert recording["landmark"].isnull().all()
        assert not recording["detected"].any()


def recording_of(truth: Truth) -> xr.Dataset:
    """A recording without face detection, with the known box of the face."""
    with expected_warning(truth):
        times = read_times(truth.path)
    box = np.tile(np.float32([30, 35, 100, 110]), (len(times), 1))
    attrs = {"recording": "truth", "video": str(truth.path)}
    return make_recording(times, {"box": box}, attrs)


def valences(frames: int) -> np.ndarray:
    """Neighbouring frames have very different values, so their dots cannot be confused."""
    return np.resize([-0.8, 0.2, -0.3, 0.7], frames)


def prediction_for(recording: xr.Dataset) -> xr.Dataset:
    valence = valences(recording.sizes["frame"])
    values = np.stack([valence, np.full_like(valence, -0.5)], axis=1).astype(np.float32)
    coords = {"frame": recording["frame"], "time": recording["time"], "affect": list(AFFECT)}
    return xr.Dataset({"prediction": (("frame", "affect"), values)}, coords)


def dot_column(rgb: np.ndarray) -> float:
    """The column of the prediction's dot in the lower half of the plane."""
    lower = rgb[36:56, 69:].astype(int)
    columns = np.nonzero(np.abs(lower - PREDICTION).max(axis=2) < 70)[1]
    return float(np.median(columns) + 69.5)  # a few pixels elsewhere may have a similar colour
