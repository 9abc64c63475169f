from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from affectkit.video import browser_playable, probe, read_packets, read_times, write_video
from tests.video.clips import STEADY, barcode, draw_clip, read

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
    "rotated": ("a.mp4", "libx264", {"rotation": 90}),
}


@pytest.mark.parametrize("kind", UNPLAYABLE)
def test_a_video_that_browsers_cannot_play_is_converted_with_the_same_frames(kind, tmp_path):
    name, codec, more = UNPLAYABLE[kind]
    base = Fraction(1, 25) if codec == "mpeg4" else Fraction(1, 1000)
    source = draw_clip(tmp_path / name, np.arange(80) / 25 + 0.2, codec, base=base, **more)
    copy = browser_playable(source, tmp_path / "copys")
    assert copy.parent == tmp_path / "copys"
    times, pictures = read(copy)
    expected, originals = read(source)
    np.testing.assert_allclose(times, expected, atol=1e-9)
    assert np.abs(pictures.astype(int) - originals).mean() < 8
    assert probe(copy).sound == probe(source).sound
    assert browser_playable(copy, tmp_path / "copys") == copy


def test_a_page_that_is_reloaded_during_the_conversion_gets_the_whole_copy(tmp_path):
    source = draw_clip(tmp_path / "a.avi", np.arange(200) / 25, "mpeg4", base=Fraction(1, 25))
    with ThreadPoolExecutor(4) as pages:
        copies = list(pages.map(lambda _: browser_playable(source, tmp_path / "c"), range(4)))
    assert len(set(copies)) == 1
    assert [path for path in (tmp_path / "c").iterdir() if path.suffix == ".mp4"] == [copies[0]]
    assert len(read_times(copies[0])) == 200


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_webm_is_played_without_conversion(codec, tmp_path):
    options = {"deadline": "realtime", "g": "30"}
    path = draw_clip(tmp_path / "a.webm", STEADY, codec, options=options)
    assert browser_playable(path, tmp_path) == path


def test_a_copy_is_made_once_and_again_after_the_source_changed(tmp_path):
    source = draw_clip(tmp_path / "a.mkv", STEADY[:5])
    first = browser_playable(source, tmp_path / "copys")
    made = first.stat().st_mtime_ns
    assert browser_playable(source, tmp_path / "copys").stat().st_mtime_ns == made
    draw_clip(source, STEADY[:6])
    second = browser_playable(source, tmp_path / "copys")
    assert second != first
    assert len(read_times(second)) == 6


def test_written_videos_are_played_without_conversion(tmp_path):
    path = tmp_path / "out.mp4"
    write_video(path, ((n / 25, barcode(n)) for n in range(100)))
    keys = [number for number, packet in enumerate(read_packets(path)) if packet.key]
    assert np.diff(keys).max() <= 30
    assert browser_playable(path, tmp_path / "copys") == path
    assert not (tmp_path / "copys").exists()
