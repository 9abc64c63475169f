"""What is proved for every truth video: rows, numbers, time stamps, overlay, recording."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from affectkit.video import probe, read_times
from tests.video.clips import read
from tests.video.truth import CASES, Truth, picture, read_number, write_truth


@pytest.fixture(scope="session", params=CASES)
def truth(request, tmp_path_factory) -> Truth:
    return write_truth(tmp_path_factory.mktemp("truth"), request.param)


def told(truth: Truth) -> AbstractContextManager:
    """The warning that this video must give, and no other."""
    return pytest.warns(UserWarning, match=truth.case.warns) if truth.case.warns else nullcontext()


def shown_stamps(path: Path) -> np.ndarray:
    """The presentation time stamps of all packets that are shown, in the order of showing."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        return np.sort([float(p.pts * stream.time_base) for p in packets if not p.is_discard])


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.7, 3])
def test_numbers_stay_readable_when_scaled_and_compressed(scale):
    for number in (0, 1, 85, 170, 255):
        scaled = cv2.resize(picture(number, size=(1, 3)), None, fx=scale, fy=scale)
        _, jpeg = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 25])
        assert read_number(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == number


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_number_on_a_turned_picture_is_not_read_as_another_one(turns):
    with pytest.raises(ValueError, match="no number"):
        read_number(np.rot90(picture(37), turns))


def test_every_decodable_frame_comes_once_in_order_at_the_time_of_the_container(truth):
    with told(truth):
        times, pictures = read(truth.path)
    assert [read_number(rgb) for rgb in pictures] == truth.number
    np.testing.assert_allclose(times, truth.time, atol=1e-6)
    assert pictures.shape[1:3] == truth.shape
    info = probe(truth.path)
    assert (info.height, info.width) == truth.shape
    assert info.frames == truth.case.announced
    with told(truth):
        np.testing.assert_array_equal(read_times(truth.path), times)
