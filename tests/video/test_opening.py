"""Which file and which stream is read, and what is said where none can be."""

import warnings
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.video import (
    VIDEO_SUFFIXES,
    browser_playable,
    is_video_name,
    probe,
    read_frames,
    read_packets,
    read_times,
    write_video,
)
from tests.video.clips import (
    SIZE,
    SIZES,
    STEADY,
    barcode,
    draw_clip,
    numbered,
    numbers,
    read,
    with_streams,
)


def test_the_default_stream_is_read_also_if_it_is_not_the_first(tmp_path):
    path = with_streams(tmp_path / "a.mkv", "small", "large")
    info = probe(path)
    assert (info.stream, info.streams, info.width) == (1, (0, 1), 128)
    assert read(path)[1].shape[1:3] == SIZES["large"]


def test_another_stream_is_read_if_its_number_is_given(tmp_path):
    path = with_streams(tmp_path / "a.mkv", "small", "large")
    assert probe(path, stream=0).width == 64
    assert next(read_frames(path, stream=0))[1].shape[1:3] == SIZES["small"]
    assert len(read_times(path, stream=0)) == len(read_packets(path, stream=0)) == 10
    copy = browser_playable(path, tmp_path / "copies", stream=0)
    assert copy != browser_playable(path, tmp_path / "copies")
    assert probe(copy).width == 64
    with pytest.raises(AffectkitError, match=r"no video stream 2; expected one of 0 \(64x48\), 1"):
        probe(path, stream=2)


def test_browsers_get_a_copy_of_a_file_with_two_video_streams(tmp_path):
    path = with_streams(tmp_path / "a.mp4", "small", "large")
    with av.open(str(browser_playable(path, tmp_path / "copies"))) as container:
        assert [(each.width, each.height) for each in container.streams.video] == [(128, 96)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_cover_is_not_read_in_place_of_the_video(name, tmp_path):
    path = with_streams(tmp_path / name, "cover", "small")
    assert numbers(read(path)[1]) == list(range(10))


def test_sound_with_a_cover_is_not_a_video(tmp_path):
    path = with_streams(tmp_path / "a.mp3", "sound", "cover")
    for function in (probe, read):
        with pytest.raises(AffectkitError, match=r"no video stream, only a cover \(format mp3\)"):
            function(path)


@pytest.mark.parametrize(
    "name",
    ["a::b.mp4", "zip::c.mp4", "concat:d.mp4", "http:e.mp4", "file:f.mp4", "%03d.mp4", "-.mp4"],
)
def test_a_name_is_a_local_path_and_never_an_address(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(name, [(time, barcode(n)) for n, time in enumerate(STEADY[:3])])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert numbers(read(Path(name))[1]) == [0, 1, 2]


PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile other.ts\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["", ".mp4"])
def test_a_playlist_opens_no_other_file(kind, suffix, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_clip(tmp_path / "other.ts", STEADY[:5])
    path = tmp_path / f"list{suffix or '.' + kind}"
    path.write_text(PLAYLISTS[kind])
    for given in (path, Path(path.name)):
        with pytest.raises(AffectkitError, match="cannot be read as a video"):
            probe(given)


def test_names_of_videos_end_in_any_case_like_those_of_the_formats():
    for name in ("a.MP4", "b.m4v", "c.MTS", "d.wmv", "e.Gif"):
        assert is_video_name(Path(name))
    for name in ("a.txt", "b.jpg", "mp4", "c.mp3"):
        assert not is_video_name(Path(name))


CODECS = {
    ".wmv": "wmv2",
    ".asf": "wmv2",
    ".mxf": "mpeg2video",
    ".webm": "libvpx",
    ".ogv": "libvpx",
    ".m2v": "mpeg2video",
    ".dv": "dvvideo",
    ".gif": "gif",
    ".mjpeg": "mjpeg",
    ".hevc": "libx265",
    ".265": "libx265",
}  # of other files: H.264
PIXELS = {"gif": "rgb8", "mjpeg": "yuvj420p"}


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_a_file_with_the_name_of_a_video_can_be_decoded(suffix, tmp_path):
    codec = CODECS.get(suffix, "libx264")
    size = (576, 720) if codec == "dvvideo" else SIZE
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(str(tmp_path / f"a{suffix}"), "w") as output:
        stream = output.add_stream(codec, rate=25, options=quiet)
        stream.height, stream.width = size
        stream.pix_fmt = PIXELS.get(codec, "yuv420p")
        for number in range(4):
            output.mux(stream.encode(numbered(stream, number)))
        output.mux(stream.encode())
    assert len(read_times(tmp_path / f"a{suffix}")) == 4


def test_a_codec_without_decoder_is_one_line(tmp_path):
    path = draw_clip(tmp_path / "a.mp4", STEADY[:5])
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    with pytest.raises(AffectkitError, match="no decoder") as error:
        probe(path)
    assert "\n" not in str(error.value)


def test_text_in_the_header_may_have_any_encoding(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as output:
        output.metadata["title"] = "Gesicht XX"
        stream = output.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(3):
            output.mux(stream.encode(numbered(stream, number)))
        output.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"Gesicht XX", "Gesicht \xfc\xdf".encode("latin-1")))
    assert len(read_times(path)) == 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_damage_anywhere_is_an_error_of_our_own_or_a_warning(name, seed, tmp_path):
    path = draw_clip(tmp_path / name, STEADY[:12], tone="aac")
    content, rng = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for place in rng.integers(0, len(content), 40):
        content[place] = rng.integers(256)
    path.write_bytes(content[: rng.integers(len(content) // 2, len(content))])
    with warnings.catch_warnings(), suppress(AffectkitError):
        warnings.simplefilter("ignore")
        copy = browser_playable(path, tmp_path / "copies")
        assert len(read_times(copy)) > 0
