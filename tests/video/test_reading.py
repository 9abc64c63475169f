from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.video import (
    browser_playable,
    invalid_timestamps,
    probe,
    read_frames,
    read_packets,
    read_thumbnails,
    read_times,
    single_frames,
    write_video,
)
from tests.video.clips import SIZE, STEADY, UNEVEN, Packets, barcode, draw_clip, hum, numbers, read

KINDS = {
    "b-frames": ("a.mp4", STEADY, "libx264", {"options": {"bf": "3", "g": "24"}}),
    "first-time-not-0": ("a.mp4", STEADY + 1.5, "libx264", {}),
    "uneven": ("a.mp4", UNEVEN, "libx264", {}),
    "vp9": ("a.webm", UNEVEN, "libvpx-vp9", {"options": {"deadline": "realtime"}}),
    "matroska": ("a.mkv", STEADY + 0.2, "libx264", {}),
    "motion-jpeg": ("a.avi", STEADY, "mjpeg", {"pixels": "yuvj420p", "base": Fraction(1, 25)}),
    "one-frame": ("a.mp4", np.array([0.0]), "libx264", {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_read_in_order_with_their_time_stamps(kind, tmp_path):
    name, written, codec, more = KINDS[kind]
    path = draw_clip(tmp_path / name, written, codec, **more)
    times, pictures = read(path)
    np.testing.assert_allclose(times, written, atol=1e-9)
    assert numbers(pictures) == list(range(len(written)))
    assert pictures.shape[1:] == (*SIZE, 3)
    np.testing.assert_array_equal(read_times(path), times)


def test_frames_of_a_gif_have_their_delays(tmp_path):
    written = np.array([0, 8, 17, 25, 60, 61]) / 100
    path = tmp_path / "a.gif"
    draw_clip(path, written, "gif", pixels="rgb8", base=Fraction(1, 100))
    times, pictures = read(path)
    np.testing.assert_allclose(times, written)
    assert numbers(pictures) == list(range(6))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_rotation_of_the_container_is_applied(degrees, tmp_path):
    path = draw_clip(tmp_path / "a.mp4", STEADY[:3], rotation=degrees)
    info = probe(path)
    _, pictures = read(path)
    upright = np.rot90(barcode(2), degrees // 90)
    assert info.rotation == degrees
    assert pictures.shape[1:3] == (info.height, info.width) == upright.shape[:2]
    assert np.abs(pictures[2].astype(int) - upright).mean() < 8


def test_batches_have_the_requested_size_and_the_last_one_is_shorter(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", STEADY[:10])
    assert [len(times) for times, _ in read_frames(path, batch=4)] == [4, 4, 2]


def test_probe_returns_the_properties_in_the_header(tmp_path):
    info = probe(draw_clip(tmp_path / "a.mp4", tone="aac"))
    assert (info.width, info.height, info.frames, info.rotation) == (64, 48, 50, 0)
    assert (info.codec, info.pixel_format, info.sound) == ("h264", "yuv420p", True)
    assert info.fps == pytest.approx(25)
    assert info.duration == pytest.approx(2, abs=0.1)
    assert "mp4" in info.container


def test_frames_without_time_stamps_have_the_nominal_rate(tmp_path):
    path = draw_clip(tmp_path / "a.h264", STEADY[:20], options={"bf": "0"})
    times, pictures = read(path)
    np.testing.assert_allclose(np.diff(times), 1 / probe(path).fps)
    assert numbers(pictures) == list(range(20))


def test_repeated_time_stamps_are_moved_by_a_tick_and_no_frame_is_lost(tmp_path):
    path = tmp_path / "a.mkv"
    stamps = [0, 40, 40, 40, 80]

    def restamp(packets: Packets) -> Packets:
        for packet, stamp in zip(packets, stamps, strict=True):
            packet.pts = packet.dts = stamp
        return packets

    draw_clip(path, STEADY[:5], "mjpeg", pixels="yuvj420p", change=restamp)
    with pytest.warns(UserWarning, match="2 of 5 time stamps did not increase"):
        times, pictures = read(path)
    np.testing.assert_allclose(times, [0, 0.04, 0.041, 0.042, 0.08])
    assert numbers(pictures) == list(range(5))
    assert invalid_timestamps(read_packets(path)) == 2


def test_a_truncated_video_is_read_as_far_as_it_decodes_with_a_warning(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", muxer={"movflags": "+faststart"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.warns(UserWarning, match=r"50 frames in the header, \d+ decoded"):
        times, pictures = read(path)
    assert 10 < len(times) < 50
    assert numbers(pictures)[:10] == list(range(10))


def broken(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "a.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("this is not a video\n" * 50)
    elif kind == "empty":
        path.touch()
    elif kind == "sound":
        with av.open(str(path), "w") as output:
            stream = output.add_stream("aac", rate=44100)
            output.mux(stream.encode(hum()))
            output.mux(stream.encode())
    elif kind == "headless":  # the index is at the end of the file, which is cut off
        whole = draw_clip(path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "hollow":  # the index is complete, the pictures are missing
        whole = draw_clip(path, muxer={"movflags": "+faststart"}).read_bytes()
        path.write_bytes(whole[: whole.index(b"mdat") + 8])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "does not exist"),
        ("folder", "is a folder"),
        ("text", "cannot be read as a video"),
        ("empty", "is empty"),
        ("sound", "no video stream"),
        ("headless", "cannot be read as a video"),
        ("hollow", "no frame could be decoded"),
    ],
)
def test_files_that_are_not_videos_are_refused_in_one_line(kind, message, tmp_path):
    path = broken(tmp_path, kind)
    for function in (probe, read):
        with pytest.raises(AffectkitError, match=message) as error:
            function(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_single_frames_equal_the_frames_of_the_batches(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", UNEVEN)
    times, pictures = zip(*single_frames(path), strict=True)
    np.testing.assert_array_equal(times, read_times(path))
    assert numbers(np.stack(pictures)) == list(range(len(UNEVEN)))


@pytest.mark.parametrize("degrees", [0, 90])
def test_thumbnails_are_small_grey_copies_of_the_frames(degrees, tmp_path):
    path = draw_clip(tmp_path / "a.mp4", UNEVEN[:9], rotation=degrees)
    times, pictures = read(path)
    small = list(read_thumbnails(path, 16))
    np.testing.assert_array_equal([time for time, _ in small], times)
    rows, cols = pictures.shape[1] // 16, pictures.shape[2] // 16
    blocks = pictures.mean(-1).reshape(-1, 16, rows, 16, cols).mean((2, 4))
    assert np.abs(np.stack([grey for _, grey in small]) - blocks).max() < 6


def test_paths_can_be_text(tmp_path):
    path = str(draw_clip(tmp_path / "a.mp4", STEADY[:5]))
    assert probe(path).path == Path(path)
    assert len(read_times(path)) == len(read_packets(path)) == len(list(single_frames(path))) == 5
    copy = browser_playable(path, str(tmp_path / "copies"))
    assert len(list(read_thumbnails(str(copy)))) == 5
    write_video(str(tmp_path / "b.mp4"), single_frames(path), sound=path)
    np.testing.assert_array_equal(read_times(tmp_path / "b.mp4"), read_times(path))
