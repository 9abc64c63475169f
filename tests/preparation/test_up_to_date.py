"""Recordings are created again only if their video, crop settings or faces changed."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.preparation import prepare
from affectkit.recording import open_recording
from tests.preparation.conftest import CROP, files_of


@pytest.fixture
def existing(dataset_copy, prepared, tmp_path) -> Path:
    """The recording of the first subject of `dataset_copy`."""
    return Path(shutil.copytree(prepared[0], tmp_path / "out" / prepared[0].name))


def prepare_again(root: Path, out: Path) -> Path:
    (path,) = prepare("synthetic", root, out, crop=CROP, only=["person_000"])
    return path


def is_replaced(path: Path, before: int) -> bool:
    return path.stat().st_ino != before


def test_an_unchanged_recording_is_kept(synthetic_root, prepared, existing):
    stamp, content = existing.stat().st_ino, files_of(existing)
    prepare_again(synthetic_root, existing.parent)
    assert not is_replaced(existing, stamp)
    assert files_of(existing) == content


def test_moved_recordings_are_kept(synthetic_root, existing, tmp_path):
    moved = existing.parent.rename(tmp_path / "elsewhere") / existing.name
    stamp = moved.stat().st_ino
    prepare_again(synthetic_root, moved.parent)
    assert not is_replaced(moved, stamp)


def test_faces_are_kept_if_the_dataset_is_moved(dataset_copy, existing, prepared):
    for path in dataset_copy.rglob("*"):  # a copy with other modification times
        os.utime(path, (1, 1))
    faces = (existing / "face" / "0.0.0.0").stat().st_ino
    prepare_again(dataset_copy, existing.parent)
    assert (existing / "face" / "0.0.0.0").stat().st_ino == faces
    recording, before = open_recording(existing), open_recording(prepared[0])
    assert recording.attrs["video"] == str(dataset_copy / "batch1" / "person_000.mp4")
    np.testing.assert_array_equal(recording["landmark"], before["landmark"])


def test_a_changed_annotation_is_replaced_and_the_faces_are_kept(dataset_copy, existing, tmp_path):
    prepare_again(dataset_copy, existing.parent)
    faces = (existing / "face" / "0.0.0.0").stat().st_ino
    path = next(dataset_copy.rglob("person_000.txt"))
    lines = path.read_text().splitlines()
    lines[3] = "0.1234,-0.567"
    lines[3] = lines[3].ljust(len(path.read_text().splitlines()[3]), "0")  # of the same size
    path.write_text("\n".join([*lines, ""]))
    prepare_again(dataset_copy, existing.parent)
    recording = open_recording(existing).load()
    np.testing.assert_allclose(recording["annotation"].sel(frame=2), [0.1234, -0.567])
    assert (existing / "face" / "0.0.0.0").stat().st_ino == faces
    assert files_of(existing) == files_of(prepare_again(dataset_copy, tmp_path / "from nothing"))


def test_a_changed_split_is_written_to_the_recording(dataset_copy, existing):
    path = next(dataset_copy.rglob("person_000.txt"))
    path.rename(path.parents[1] / "Test_Set" / path.name)
    prepare_again(dataset_copy, existing.parent)
    assert open_recording(existing).attrs["split"] == "test"


def test_a_changed_video_of_the_same_size_is_noticed(dataset_copy, existing):
    prepare_again(dataset_copy, existing.parent)
    stamp = existing.stat().st_ino
    video = Path(synthetic.index(dataset_copy)["video"].iloc[0])
    content = bytearray(video.read_bytes())
    content[15] ^= 1  # the minor version of the container: no frame changes
    video.write_bytes(content)
    prepare_again(dataset_copy, existing.parent)
    assert is_replaced(existing, stamp)


def test_a_recording_is_kept_if_its_video_is_deleted(dataset_copy, existing):
    prepare_again(dataset_copy, existing.parent)
    content = files_of(existing)
    Path(synthetic.index(dataset_copy)["video"].iloc[0]).unlink()
    prepare_again(dataset_copy, existing.parent)
    assert files_of(existing) == content
