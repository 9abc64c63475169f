"""Pictures are read as browsers show them: upright, not mirrored, with square pixels."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from affectkit.overlay import write_overlay
from affectkit.preparation import prepare_video
from affectkit.recording import open_recording
from affectkit.video import browser_playable, probe, read_frames, read_thumbnails, read_times
from tests.conftest import fake_prediction
from tests.video.clips import STEADY, draw_clip, encode, numbers, read

CORNERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
# The corners that Chromium 156 draws for a file with this rotation and mirroring, in reading order
SHOWN_BY_CHROMIUM = {
    (0, False): "RGBW",
    (90, False): "GWRB",
    (180, False): "WBGR",
    (270, False): "BRWG",
    (0, True): "GRWB",
    (90, True): "RBGW",
    (180, True): "BWRG",
    (270, True): "WGBR",
}
ASPECTS = {  # and the size in which it shows 160x96 pixels
    Fraction(4, 3): (213, 96),
    Fraction(3, 4): (160, 128),
    Fraction(16, 15): (171, 96),
    Fraction(10, 11): (160, 106),
    Fraction(1, 500): (160, 96),
}


def four_corners() -> np.ndarray:
    return CORNERS.repeat(48, 0).repeat(80, 1)


def corners_of(rgb: np.ndarray) -> str:
    rows, cols = (np.array([1, 3]) * side // 4 for side in rgb.shape[:2])
    names = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 1): "W"}
    return "".join(names[tuple((rgb[row, col] > 127).astype(int))] for row in rows for col in cols)


@pytest.mark.parametrize(("rotation", "mirrored"), SHOWN_BY_CHROMIUM)
def test_all_eight_orientations_are_read_as_chromium_shows_them(rotation, mirrored, tmp_path):
    frames = [(time, four_corners()) for time in STEADY[:3]]
    path = encode(tmp_path / "a.mp4", frames, rotation=rotation, mirrored=mirrored)
    info = probe(path)
    assert (info.rotation, info.mirrored) == (rotation, mirrored)
    expected = SHOWN_BY_CHROMIUM[rotation, mirrored]
    _, pictures = read(path)
    assert corners_of(pictures[0]) == expected
    assert pictures.shape[1:3] == (info.height, info.width)
    _, grey = next(read_thumbnails(path, 32))
    brightness = {"R": 76, "G": 150, "B": 29, "W": 255}
    blocks = grey.reshape(2, 16, 2, 16).mean((1, 3)).ravel()
    np.testing.assert_allclose(blocks, [brightness[name] for name in expected], atol=20)
    copy = browser_playable(path, tmp_path / "copies")
    assert corners_of(read(copy)[1][0]) == expected
    assert not probe(copy).mirrored


def test_browsers_get_a_copy_of_a_mirrored_file(tmp_path):
    fast = {"movflags": "+faststart"}
    turned = draw_clip(tmp_path / "a.mp4", rotation=90, muxer=fast)
    mirrored = draw_clip(tmp_path / "b.mp4", mirrored=True, muxer=fast)
    assert browser_playable(turned, tmp_path) == turned
    assert browser_playable(mirrored, tmp_path) != mirrored


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("rotation", [0, 90])
def test_pixels_are_made_square_in_the_size_that_chromium_shows(aspect, rotation, tmp_path):
    frames = [(time, four_corners()) for time in STEADY[:2]]
    path = encode(tmp_path / "a.mkv", frames, aspect=aspect, rotation=rotation)
    size = ASPECTS[aspect][:: -1 if rotation else 1]
    info = probe(path)
    assert (info.width, info.height) == size
    _, pictures = read(path)
    assert pictures.shape[1:3] == size[::-1]
    assert corners_of(pictures[0]) == SHOWN_BY_CHROMIUM[rotation, False]
    copy = probe(browser_playable(path, tmp_path / "copies"))
    assert (copy.width, copy.height, copy.pixel_aspect) == (*(n + n % 2 for n in size), 1)


@pytest.fixture
def resized(tmp_path: Path) -> Path:
    """Five frames of 64x48, five of 96x96, five of 64x48; as a browser records a call."""
    parts = [
        draw_clip(tmp_path / f"{n}.h264", STEADY[:5], size=size, options={"bf": "0"}).read_bytes()
        for n, size in enumerate([(48, 64), (96, 96), (48, 64)])
    ]
    path = tmp_path / "a.h264"
    path.write_bytes(b"".join(parts))
    return path


def test_pictures_of_another_size_are_fitted_into_the_first_between_bars(resized):
    with pytest.warns(UserWarning, match="picture size changes, for 5 of 15 frames"):
        pictures = np.concatenate([rgb for _, rgb in read_frames(resized)])
    assert pictures.shape == (15, 48, 64, 3)
    assert numbers(pictures[:5]) == numbers(pictures[10:]) == [0, 1, 2, 3, 4]
    assert not pictures[5:10, :, :8].any()
    assert not pictures[5:10, :, -8:].any()
    # bar 0 of 8 pixels is now 4 pixels wide, from the left end of the square
    np.testing.assert_allclose(pictures[5:10, 24, 9:11, 0].mean(1) > 127, [0, 1, 0, 1, 0])


@pytest.mark.filterwarnings("ignore:.*picture size changes")
@pytest.mark.filterwarnings("ignore:.*no face found")
def test_a_video_of_several_sizes_has_recording_overlay_and_copy(resized, tmp_path):
    recording = open_recording(prepare_video(resized, tmp_path))
    assert (recording.attrs["width"], recording.attrs["height"]) == (64, 48)
    assert check_overlay(recording, tmp_path) == 15
    assert len(read_times(browser_playable(resized, tmp_path / "copies"))) == 15


def check_overlay(recording: xr.Dataset, folder: Path) -> int:
    """Write the overlay; the number of its frames."""
    prediction = fake_prediction(recording).assign_coords(time=recording["time"])
    write_overlay(recording, prediction, folder / "overlay.mp4")
    np.testing.assert_allclose(read_times(folder / "overlay.mp4"), recording["time"], atol=1e-6)
    return recording.sizes["frame"]
