import numpy as np
import pytest
import xarray as xr
from PIL import ExifTags, Image

from affectkit.errors import AffectkitError
from affectkit.video import read_frames, read_times
from affectkit.video.stills import (
    measure_stills,
    read_recording_frames,
    read_stills,
    stills_to_video,
)
from tests.conftest import fake_recording

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


@pytest.fixture
def folder(tmp_path):
    """Three pictures of one colour each, the second smaller; damaged, rotated and grey ones."""
    for number, colour in enumerate(COLOURS):
        size = (40, 24) if number == 1 else (64, 48)
        Image.new("RGB", size, colour).save(tmp_path / f"{number}.png")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "text.jpg").write_text("no picture")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # displayed rotated by 90 degrees clockwise
    rotated = np.zeros((10, 20, 3), np.uint8)
    rotated[:, :10] = 255
    Image.fromarray(rotated).save(tmp_path / "rotated é.png", exif=exif)
    Image.new("L", (8, 8), 77).save(tmp_path / "grey.png")
    return tmp_path


@pytest.fixture
def stills(folder):
    """A recording of three pictures; the second is missing."""
    names = np.array(["0.png", "", "1.png"])
    attrs = {"video": str(folder), "width": 64, "height": 48, "fps": 25.0}
    recording = fake_recording("stills", 3, **attrs)
    return recording.assign(still=("frame", names))


def test_pictures_are_read_in_batches_as_displayed(folder):
    names = ["0.png", "", "1.png", "rotated é.png", "grey.png"]
    batches = list(read_stills(folder, names, batch=2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    first, missing, small, rotated, grey = (picture for batch in batches for picture in batch)
    assert (first == COLOURS[0]).all()
    assert missing.shape == (0, 0, 3)
    assert small.shape == (24, 40, 3)
    assert rotated.shape == (20, 10, 3)
    assert (rotated[:10] == 255).all()
    assert not rotated[10:].any()
    assert grey.shape == (8, 8, 3)


def test_sizes_are_as_displayed_and_damaged_pictures_are_named(folder):
    names = ["1.png", "rotated é.png", "", "cut.png", "text.jpg", "nowhere.png"]
    sizes = measure_stills(folder, names)
    assert sizes.width.tolist() == [40, 10, 0, 0, 0, 0]
    assert sizes.height.tolist() == [24, 20, 0, 0, 0, 0]
    assert sizes.unreadable == ["cut.png", "text.jpg", "nowhere.png"]


def test_stills_are_read_as_frames_of_one_size_with_the_times_of_the_recording(stills):
    times, frames = zip(*read_recording_frames(stills), strict=True)
    assert list(times) == stills["time"].values.tolist()
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert (frames[0] == COLOURS[0]).all()
    assert not frames[1].any()
    small = frames[2]
    assert (small[:24, :40] == COLOURS[1]).all()  # upper left: coordinates are unchanged
    assert not small[24:].any()
    assert not small[:, 40:].any()


def test_the_video_shows_each_still_at_its_time_and_is_made_once(stills, tmp_path):
    far_apart = stills.assign_coords(time=("frame", [0.0, 100.0, 200.0]))
    for recording in (stills, far_apart):
        path = stills_to_video(recording, tmp_path / "videos")
        np.testing.assert_allclose(read_times(path), recording["time"], atol=1e-6)
        shown = np.concatenate([rgb for _, rgb in read_frames(path)])
        np.testing.assert_allclose(shown[0, 5:-5, 5:-5].mean((0, 1)), COLOURS[0], atol=6)
        assert shown[1].max() < 8
        stamp = path.stat().st_mtime_ns
        assert stills_to_video(recording, tmp_path / "videos").stat().st_mtime_ns == stamp
    assert len(list((tmp_path / "videos").iterdir())) == 2


def test_pictures_too_large_for_a_video_are_refused(stills, tmp_path):
    with pytest.raises(AffectkitError, match="pictures up to 6000x4000 are too large"):
        stills_to_video(stills.assign_attrs(width=6000, height=4000), tmp_path)


def test_a_recording_of_a_video_has_the_frames_of_the_video(stills, tmp_path):
    path = stills_to_video(stills, tmp_path / "videos")
    recording = xr.Dataset(attrs={"video": str(path)})
    assert [time for time, _ in read_recording_frames(recording)] == read_times(path).tolist()
