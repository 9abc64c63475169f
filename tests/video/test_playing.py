from fractions import Fraction

import numpy as np
import pytest

from affectkit.video import playable, probe, read_packets, read_times, write_video
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


def test_what_is_written_plays_as_it_is(tmp_path):
    path = tmp_path / "out.mp4"
    write_video(path, ((n / 25, barcode(n)) for n in range(100)))
    keys = [number for number, packet in enumerate(read_packets(path)) if packet.key]
    assert np.diff(keys).max() <= 30
    assert playable(path, tmp_path / "twins") == path
    assert not (tmp_path / "twins").exists()
