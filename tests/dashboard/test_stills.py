"""A recording of pictures has a film of them in the dashboard, or a line that says why not."""

import numpy as np
import pytest
from PIL import Image

from affectkit.dashboard.loading import find_video
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


def test_pictures_are_shown_as_a_film_with_the_recordings_times(stills, tmp_path):
    path, missing = find_video(stills, tmp_path / "stills.zarr")
    assert not missing
    assert path.parent == tmp_path / "playable"
    np.testing.assert_allclose(read_times(path), stills["time"], atol=1e-6)


def test_pictures_that_moved_away_or_are_too_large_are_told(stills, tmp_path):
    gone = stills.assign_attrs(video=str(tmp_path / "moved"))
    path, missing = find_video(gone, tmp_path / "stills.zarr")
    assert path is None
    assert missing.startswith("Folder moved is not at")
    path, missing = find_video(stills.assign_attrs(width=9000, height=9000), tmp_path / "s.zarr")
    assert path is None
    assert "too large for a film" in missing
