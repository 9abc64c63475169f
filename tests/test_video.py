"""Clips are drawn here; the number of each frame is a barcode of eight bars in its picture."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.video import (
    faulty_stamps,
    playable,
    probe,
    read_frames,
    read_packets,
    read_times,
    single_frames,
    write_video,
)

SIZE = (48, 64)  # rows, columns
STEADY = np.arange(50) / 25
UNEVEN = np.cumsum(np.tile([40, 90, 20, 200, 33], 8)) / 1000


def barcode(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    picture = np.zeros((*size, 3), np.uint8)
    for bar in range(8):
        picture[:, bar * 8 : bar * 8 + 8] = 255 * (number >> bar & 1)
    return picture


def numbers(pictures: np.ndarray) -> list[int]:
    middle = pictures[:, pictures.shape[1] // 2, 4:64:8, 0] > 127
    return [int(bits @ (1 << np.arange(8))) for bits in middle]


def draw_clip(
    path: Path,
    times: Iterable[float] = STEADY,
    codec: str = "libx264",
    *,
    size: tuple[int, int] = SIZE,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    rotation: int = 0,
    muxer: dict[str, str] | None = None,
    base: Fraction = Fraction(1, 1000),
    tone: str = "",
    stamps: list[int] | None = None,
) -> Path:
    with av.open(str(path), "w", options=muxer or {}) as output:
        stream = output.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width, stream.pix_fmt = *size, pixels
        stream.time_base = stream.codec_context.time_base = base
        sound = output.add_stream(tone, rate=44100) if tone else None
        if rotation:
            stream.set_display_rotation(rotation)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(barcode(number, size), format="rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = round(time / base), base
            for packet in stream.encode(frame):
                if stamps:
                    packet.pts = packet.dts = stamps[number]
                output.mux(packet)
        output.mux(stream.encode())
        if sound is not None:
            hum = (3000 * np.sin(np.arange(44100) / 20)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(hum[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44100, 0
            output.mux(sound.encode(frame))
            output.mux(sound.encode())
    return path


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    times, pictures = zip(*read_frames(path, batch=7), strict=True)
    return np.concatenate(times), np.concatenate(pictures)


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
def test_frames_come_in_order_with_the_times_of_the_container(kind, tmp_path):
    name, drawn, codec, more = KINDS[kind]
    path = draw_clip(tmp_path / name, drawn, codec, **more)
    times, pictures = read(path)
    np.testing.assert_allclose(times, drawn, atol=1e-9)
    assert numbers(pictures) == list(range(len(drawn)))
    assert pictures.shape[1:] == (*SIZE, 3)
    np.testing.assert_array_equal(read_times(path), times)


def test_a_gif_gives_all_frames_with_their_delays(tmp_path):
    drawn = np.array([0, 8, 17, 25, 60, 61]) / 100
    path = tmp_path / "a.gif"
    draw_clip(path, drawn, "gif", pixels="rgb8", base=Fraction(1, 100))
    times, pictures = read(path)
    np.testing.assert_allclose(times, drawn)
    assert numbers(pictures) == list(range(6))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_asked_for_by_the_container_is_applied(degrees, tmp_path):
    path = draw_clip(tmp_path / "a.mp4", STEADY[:3], rotation=degrees)
    info = probe(path)
    _, pictures = read(path)
    upright = np.rot90(barcode(2), degrees // 90)
    assert info.rotation == degrees
    assert pictures.shape[1:3] == (info.height, info.width) == upright.shape[:2]
    assert np.abs(pictures[2].astype(int) - upright).mean() < 8


def test_a_batch_is_as_long_as_asked_for_and_the_last_one_shorter(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", STEADY[:10])
    assert [len(times) for times, _ in read_frames(path, batch=4)] == [4, 4, 2]


def test_probe_tells_what_the_header_says(tmp_path):
    info = probe(draw_clip(tmp_path / "a.mp4", tone="aac"))
    assert (info.width, info.height, info.frames, info.rotation) == (64, 48, 50, 0)
    assert (info.codec, info.pixel_format, info.sound) == ("h264", "yuv420p", True)
    assert info.fps == pytest.approx(25)
    assert info.duration == pytest.approx(2, abs=0.1)
    assert "mp4" in info.container


def test_frames_without_time_stamps_follow_each_other_at_the_nominal_rate(tmp_path):
    path = draw_clip(tmp_path / "a.h264", STEADY[:20], options={"bf": "0"})
    times, pictures = read(path)
    np.testing.assert_allclose(np.diff(times), 1 / probe(path).fps)
    assert numbers(pictures) == list(range(20))


def test_repeated_time_stamps_move_by_a_tick_and_no_frame_is_lost(tmp_path):
    path = tmp_path / "a.mkv"
    draw_clip(path, STEADY[:5], "mjpeg", pixels="yuvj420p", stamps=[0, 40, 40, 40, 80])
    with pytest.warns(UserWarning, match="2 of 5 time stamps did not rise"):
        times, pictures = read(path)
    np.testing.assert_allclose(times, [0, 0.04, 0.041, 0.042, 0.08])
    assert numbers(pictures) == list(range(5))
    assert faulty_stamps(read_packets(path)) == 2


def test_a_truncated_video_gives_what_decodes_and_warns(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", muxer={"movflags": "+faststart"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.warns(UserWarning, match=r"50 frames announced, \d+ decoded"):
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
            output.mux(stream.encode(silence()))
            output.mux(stream.encode())
    elif kind == "headless":  # the index stands at the end, and is cut off
        whole = draw_clip(path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "hollow":  # the index is whole, the pictures are gone
        whole = draw_clip(path, muxer={"movflags": "+faststart"}).read_bytes()
        path.write_bytes(whole[: whole.index(b"mdat") + 8])
    return path


def silence() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts = 44100, 0
    return frame


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
def test_what_is_no_video_is_refused_in_one_line(kind, message, tmp_path):
    path = broken(tmp_path, kind)
    for function in (probe, read):
        with pytest.raises(AffectkitError, match=message) as error:
            function(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def write(path: Path, times: Iterable[float], size: tuple[int, int] = SIZE, **more) -> Path:
    write_video(path, ((t, barcode(n, size)) for n, t in enumerate(times)), **more)
    return path


@pytest.mark.parametrize(
    "times",
    [STEADY, STEADY + 1.5, UNEVEN, np.arange(50) * 1001 / 24000, np.array([0.0]), np.array([2.0])],
    ids=["steady", "late", "uneven", "ntsc", "one", "one-late"],
)
def test_writing_keeps_every_time_stamp_exactly(times, tmp_path):
    read_back, pictures = read(write(tmp_path / "out.mp4", times))
    np.testing.assert_allclose(read_back, times, atol=1e-12)
    assert numbers(pictures) == list(range(len(times)))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0.001, 3), min_size=1, max_size=20))
def test_writing_keeps_any_rising_times_to_a_tick(tmp_path, steps):
    times = np.cumsum(steps)
    read_back = read_times(write(tmp_path / "out.mp4", times, overwrite=True))
    np.testing.assert_allclose(read_back, times, atol=1e-7)


def test_odd_sizes_are_padded_and_pictures_keep_their_place_and_colour(tmp_path):
    colour = np.full((47, 65, 3), (200, 40, 30), np.uint8)
    write_video(tmp_path / "out.mp4", [(0.0, colour)])
    _, pictures = read(tmp_path / "out.mp4")
    assert pictures.shape == (1, 48, 66, 3)
    assert np.abs(pictures[0].astype(int) - (200, 40, 30)).max() <= 4


def test_what_is_written_plays_as_it_is(tmp_path):
    path = write(tmp_path / "out.mp4", np.arange(100) / 25)
    keys = [number for number, (_, key) in enumerate(read_packets(path)) if key]
    assert np.diff(keys).max() <= 30
    assert playable(path, tmp_path / "twins") == path
    assert not (tmp_path / "twins").exists()


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as source:
        return [bytes(packet) for packet in source.demux(audio=0) if packet.size]


def test_aac_sound_is_taken_over_untouched(tmp_path):
    source = draw_clip(tmp_path / "a.mp4", tone="aac")
    out = write(tmp_path / "out.mp4", STEADY, sound=source)
    assert sound_packets(out) == sound_packets(source)


def test_other_sound_becomes_aac_of_the_same_length(tmp_path):
    source = draw_clip(tmp_path / "a.mkv", tone="pcm_s16le")
    out = write(tmp_path / "out.mp4", STEADY, sound=source)
    with av.open(str(out)) as container:
        track = container.streams.audio[0]
        assert track.codec_context.name == "aac"
        samples = sum(frame.samples for frame in container.decode(track))
    assert samples / 44100 == pytest.approx(1, abs=0.05)


def test_a_source_without_sound_leaves_the_video_silent(tmp_path):
    out = write(tmp_path / "out.mp4", STEADY, sound=draw_clip(tmp_path / "a.mp4"))
    assert not probe(out).sound


@pytest.mark.parametrize(
    ("times", "name", "message"),
    [
        ([], "out.mp4", "no frames"),
        ([0.0, 0.0], "out.mp4", "should rise"),
        ([-1.0], "out.mp4", "should rise"),
        ([0.0], "out.avi", "written to .mp4"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(times, name, message, tmp_path):
    with pytest.raises(AffectkitError, match=message):
        write(tmp_path / name, times)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_only_replaced_when_asked(tmp_path):
    out = write(tmp_path / "out.mp4", STEADY[:2])
    with pytest.raises(AffectkitError, match="exists already"):
        write(out, STEADY[:3])
    assert len(read_times(write(out, STEADY[:3], overwrite=True))) == 3


UNPLAYABLE = {
    "codec": ("a.mp4", "mpeg4", {}),
    "index-at-the-end": ("a.mp4", "libx264", {}),
    "key-frames-far-apart": (
        "a.mp4",
        "libx264",
        {"options": {"g": "250", "sc_threshold": "0"}, "muxer": {"movflags": "+faststart"}},
    ),
    "container": ("a.mkv", "libx264", {"tone": "aac"}),
    "pixels": ("a.mp4", "libx264", {"pixels": "yuv444p", "muxer": {"movflags": "+faststart"}}),
    "turned": ("a.mp4", "libx264", {"rotation": 90}),
}


@pytest.mark.parametrize("kind", UNPLAYABLE)
def test_what_browsers_cannot_play_gets_a_twin_with_the_same_frames(kind, tmp_path):
    name, codec, more = UNPLAYABLE[kind]
    base = Fraction(1, 25) if codec == "mpeg4" else Fraction(1, 1000)
    source = draw_clip(tmp_path / name, np.arange(80) / 25 + 0.2, codec, base=base, **more)
    twin = playable(source, tmp_path / "twins")
    assert twin.parent == tmp_path / "twins"
    times, pictures = read(twin)
    expected, originals = read(source)
    np.testing.assert_allclose(times, expected, atol=1e-9)
    assert np.abs(pictures.astype(int) - originals).mean() < 8
    assert probe(twin).sound == probe(source).sound
    assert playable(twin, tmp_path / "twins") == twin


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_webm_plays_as_it_is(codec, tmp_path):
    options = {"deadline": "realtime", "g": "30"}
    path = draw_clip(tmp_path / "a.webm", STEADY, codec, options=options)
    assert playable(path, tmp_path) == path


def test_a_twin_is_made_once_and_again_when_the_source_has_changed(tmp_path):
    source = draw_clip(tmp_path / "a.mkv", STEADY[:5])
    first = playable(source, tmp_path / "twins")
    made = first.stat().st_mtime_ns
    assert playable(source, tmp_path / "twins").stat().st_mtime_ns == made
    draw_clip(source, STEADY[:6])
    second = playable(source, tmp_path / "twins")
    assert second != first
    assert len(read_times(second)) == 6


def test_single_frames_are_those_of_the_batches(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", UNEVEN)
    times, pictures = zip(*single_frames(path), strict=True)
    np.testing.assert_array_equal(times, read_times(path))
    assert numbers(np.stack(pictures)) == list(range(len(UNEVEN)))
