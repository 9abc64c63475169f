"""A recording of stills is shown as a video in the dashboard, or with the reason why not."""

import numpy as np
import pytest
from PIL import Image

from affectkit.dashboard.serving import find_video
from affectkit.video import read_times
from tests.conftest import fake_recording


@pytest.fixture
def stills(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (64, 48), (60 * number,) * 3).save(folder / f"{number}.png")
    recording = fake_recording("stills", 3, video=str(folder), width=64, height=48)
    return recording.assign(still=("frame", np.array(["0.png", "1.png", "2.png"])))


def test_stills_become_a_video_with_the_times_of_the_recording(stills, tmp_path):
    path, missing = find_video(stills, tmp_path)
    assert not missing
    assert path.parent == tmp_path / "playable"
    np.testing.assert_allclose(read_times(path), stills["time"], atol=1e-6)


def test_missing_or_too_large_stills_get_a_reason(stills, tmp_path):
    gone = stills.assign_attrs(video=str(tmp_path / "moved"))
    path, missing = find_video(gone, tmp_path)
    assert path is None
    assert missing.startswith("Folder moved not found at")
    path, missing = find_video(stills.assign_attrs(width=9000, height=9000), tmp_path)
    assert path is None
    assert "too large for a video" in missing


def test_stills_of_unknown_size_get_a_reason(stills, tmp_path):
    path, missing = find_video(stills.assign_attrs(width="", height=""), tmp_path)
    assert path is None
    assert "no width and height" in missing
