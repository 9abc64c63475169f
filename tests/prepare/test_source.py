"""What is made once is not made again, and what has changed is."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.prepare import prepare
from affectkit.recording import open_recording
from tests.prepare.conftest import CROP, files_of


@pytest.fixture
def standing(copy, prepared, tmp_path) -> Path:
    """A recording of the first person of `copy`, as it was made."""
    return Path(shutil.copytree(prepared[0], tmp_path / "out" / prepared[0].name))


def again(root: Path, out: Path) -> Path:
    (path,) = prepare("synthetic", root, out, crop=CROP, only=["person_000"])
    return path


def made_again(path: Path, before: int) -> bool:
    return path.stat().st_ino != before


def test_nothing_is_made_again_where_nothing_changed(drawn, prepared, standing):
    stamp, content = standing.stat().st_ino, files_of(standing)
    again(drawn, standing.parent)
    assert not made_again(standing, stamp)
    assert files_of(standing) == content


def test_moving_the_recordings_makes_nothing_again(drawn, standing, tmp_path):
    moved = standing.parent.rename(tmp_path / "elsewhere") / standing.name
    stamp = moved.stat().st_ino
    again(drawn, moved.parent)
    assert not made_again(moved, stamp)


def test_moving_the_dataset_finds_no_faces_again(copy, standing, prepared):
    for path in copy.rglob("*"):  # a copy, with other dates
        os.utime(path, (1, 1))
    faces = (standing / "face" / "0.0.0.0").stat().st_ino
    again(copy, standing.parent)
    assert (standing / "face" / "0.0.0.0").stat().st_ino == faces
    recording, before = open_recording(standing), open_recording(prepared[0])
    assert recording.attrs["video"] == str(copy / "batch1" / "person_000.mp4")
    np.testing.assert_array_equal(recording["landmark"], before["landmark"])


def test_an_edit_of_the_annotation_alone_keeps_the_faces(copy, standing, tmp_path):
    again(copy, standing.parent)
    faces = (standing / "face" / "0.0.0.0").stat().st_ino
    path = next(copy.rglob("person_000.txt"))
    lines = path.read_text().splitlines()
    lines[3] = "0.1234,-0.567"
    lines[3] = lines[3].ljust(len(path.read_text().splitlines()[3]), "0")  # of the same size
    path.write_text("\n".join([*lines, ""]))
    again(copy, standing.parent)
    recording = open_recording(standing).load()
    np.testing.assert_allclose(recording["annotation"].sel(frame=2), [0.1234, -0.567])
    assert (standing / "face" / "0.0.0.0").stat().st_ino == faces
    assert files_of(standing) == files_of(again(copy, tmp_path / "from nothing"))


def test_another_split_or_subject_is_taken_over(copy, standing):
    path = next(copy.rglob("person_000.txt"))
    path.rename(path.parents[1] / "Test_Set" / path.name)
    again(copy, standing.parent)
    assert open_recording(standing).attrs["split"] == "test"


def test_another_video_of_the_same_size_is_noticed(copy, standing):
    again(copy, standing.parent)
    stamp = standing.stat().st_ino
    video = Path(synthetic.index(copy)["video"].iloc[0])
    content = bytearray(video.read_bytes())
    content[15] ^= 1  # the minor version of the container: no frame changes
    video.write_bytes(content)
    again(copy, standing.parent)
    assert made_again(standing, stamp)


def test_what_was_made_outlives_its_video(copy, standing):
    again(copy, standing.parent)
    content = files_of(standing)
    Path(synthetic.index(copy)["video"].iloc[0]).unlink()
    again(copy, standing.parent)
    assert files_of(standing) == content


def test_a_recording_that_was_damaged_is_made_again(drawn, standing, prepared):
    (standing / ".zgroup").unlink()
    again(drawn, standing.parent)
    assert files_of(standing) == files_of(prepared[0])
