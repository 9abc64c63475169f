import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.video import probe, read_times, write_video
from tests.video.clips import SIZE, STEADY, UNEVEN, barcode, draw_clip, numbers, read


def write(path: Path, times: Iterable[float], size: tuple[int, int] = SIZE, **more) -> Path:
    write_video(path, ((t, barcode(n, size)) for n, t in enumerate(times)), **more)
    return path


@pytest.mark.parametrize(
    "times",
    [STEADY, STEADY + 1.5, UNEVEN, np.arange(50) * 1001 / 24000, np.array([0.0]), np.array([2.0])],
    ids=["steady", "late", "uneven", "ntsc", "one", "one-late"],
)
def test_time_stamps_are_written_exactly(times, tmp_path):
    read_back, pictures = read(write(tmp_path / "out.mp4", times))
    np.testing.assert_allclose(read_back, times, atol=1e-12)
    assert numbers(pictures) == list(range(len(times)))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0.001, 3), min_size=1, max_size=20))
def test_any_increasing_times_are_written_to_within_a_tick(tmp_path, steps):
    times = np.cumsum(steps)
    read_back = read_times(write(tmp_path / "out.mp4", times, overwrite=True))
    np.testing.assert_allclose(read_back, times, atol=1e-7)


def test_odd_sizes_are_padded_and_pictures_keep_position_and_colour(tmp_path):
    colour = np.full((47, 65, 3), (200, 40, 30), np.uint8)
    write_video(tmp_path / "out.mp4", [(0.0, colour)])
    _, pictures = read(tmp_path / "out.mp4")
    assert pictures.shape == (1, 48, 66, 3)
    assert np.abs(pictures[0].astype(int) - (200, 40, 30)).max() <= 4


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as source:
        return [bytes(packet) for packet in source.demux(audio=0) if packet.size]


def test_aac_sound_is_copied_unchanged(tmp_path):
    source = draw_clip(tmp_path / "a.mp4", tone="aac")
    out = write(tmp_path / "out.mp4", STEADY, sound=source)
    assert sound_packets(out) == sound_packets(source)


def test_other_sound_is_encoded_as_aac_of_the_same_length(tmp_path):
    source = draw_clip(tmp_path / "a.mkv", tone="pcm_s16le")
    out = write(tmp_path / "out.mp4", STEADY, sound=source)
    with av.open(str(out)) as container:
        track = container.streams.audio[0]
        assert track.codec_context.name == "aac"
        samples = sum(frame.samples for frame in container.decode(track))
    assert samples / 44100 == pytest.approx(1, abs=0.05)


def test_a_source_without_sound_gives_a_silent_video(tmp_path):
    out = write(tmp_path / "out.mp4", STEADY, sound=draw_clip(tmp_path / "a.mp4"))
    assert not probe(out).sound


@pytest.mark.parametrize(
    ("times", "name", "message"),
    [
        ([], "out.mp4", "at least one frame"),
        ([0.0, 0.0], "out.mp4", "expected increasing times"),
        ([-1.0], "out.mp4", "expected increasing times"),
        ([0.0], "out.avi", "ends in .mp4"),
    ],
)
def test_failed_writing_leaves_no_file(times, name, message, tmp_path):
    with pytest.raises(AffectkitError, match=message):
        write(tmp_path / name, times)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_with_overwrite(tmp_path):
    out = write(tmp_path / "out.mp4", STEADY[:2])
    with pytest.raises(AffectkitError, match="exists already"):
        write(out, STEADY[:3])
    assert len(read_times(write(out, STEADY[:3], overwrite=True))) == 3


ENCODE = """
import hashlib, sys
from pathlib import Path
import numpy as np
from affectkit.video import write_video

row, col = np.indices((96, 96))
waves = [np.sin(row / 9 + n / 3) + np.cos(col / 11 - n / 5) for n in range(20)]
pictures = [np.repeat((60 * wave + 127).astype(np.uint8)[..., None], 3, 2) for wave in waves]
write_video(Path(sys.argv[1]), [(n / 25, picture) for n, picture in enumerate(pictures)])
"""


def test_the_same_pictures_give_the_same_bytes_for_any_initial_memory_content(tmp_path):
    for perturb in ("1", "55", "170"):
        subprocess.run(
            [sys.executable, "-c", ENCODE, str(tmp_path / f"{perturb}.mp4")],
            env=os.environ | {"MALLOC_PERTURB_": perturb},  # glibc fills new memory with this
            check=True,
        )
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
