"""Recordings of a dataset: their content, progress and errors."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop
from affectkit.preparation import prepare
from affectkit.preparation.create import check_free_space
from affectkit.recording import open_recording
from affectkit.video import read_frames, read_times, write_video
from tests.preparation.conftest import CROP, FRAMES, assert_same

SIZE = 128  # of a video of one subject


def test_a_recording_has_frames_faces_annotation_and_the_paths_of_its_files(
    synthetic_root, prepared
):
    index = synthetic.index(synthetic_root)
    for path, (_, row) in zip(prepared, index.iterrows(), strict=True):
        recording = open_recording(path)
        np.testing.assert_array_equal(recording["time"], read_times(Path(row["video"])))
        assert recording["face"].shape == (FRAMES, 48, 48, 3)
        assert recording["detected"].all()
        assert recording["face"].values.std() > 20
        expected = synthetic.annotations(synthetic_root, row["recording"])
        np.testing.assert_array_equal(recording["annotation"], expected["annotation"])
        np.testing.assert_array_equal(recording["rating"], expected["rating"])
        assert list(recording["rater"].values) == list(expected["rater"].values)
        for key in ("recording", "subject", "split"):
            assert recording.attrs[key] == row[key]
        assert Path(recording.attrs["video"]).is_file()
        assert recording.attrs["dataset"] == "synthetic"
        assert Crop(**recording.attrs["crop"]) == CROP


def test_progress_counts_frames_and_is_complete_when_the_recording_is_written(
    synthetic_root, tmp_path
):
    name, seen = synthetic.index(synthetic_root)["recording"].iloc[0], []

    def progress(*state):
        seen.append((*state, (tmp_path / f"{name}.zarr").exists()))

    prepare("synthetic", synthetic_root, tmp_path, crop=CROP, only=[name], progress=progress)
    assert [done for _, done, _, _ in seen] == sorted(done for _, done, _, _ in seen)
    assert {total for _, _, total, _ in seen} == {FRAMES}
    assert [written for _, done, total, written in seen if done == total] == [True]
    assert not any(written for _, done, total, written in seen if done < total)


def test_recordings_with_other_crop_settings_are_created_again(synthetic_root, tmp_path):
    names = list(synthetic.index(synthetic_root)["recording"][:1])
    (path,) = prepare("synthetic", synthetic_root, tmp_path, crop=CROP, only=names)
    prepare("synthetic", synthetic_root, tmp_path, crop=Crop(size=32), only=names)
    assert open_recording(path).sizes["row"] == 32


def test_a_broken_video_is_reported_and_the_others_are_prepared(dataset_copy, tmp_path):
    broken = Path(synthetic.index(dataset_copy)["video"].iloc[0])
    broken.write_text("no video")
    with (
        pytest.warns(UserWarning, match=rf"^{broken.stem}: .*cannot be read as a video"),
        pytest.raises(AffectkitError, match="1 of 3 recordings could not be created") as error,
    ):
        prepare("synthetic", dataset_copy, tmp_path / "out", crop=CROP)
    assert str(broken) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(list((tmp_path / "out").glob("*.zarr"))) == 2


def test_every_failure_is_reported_with_its_reason(dataset_copy, tmp_path):
    first, second, _ = synthetic.index(dataset_copy)["recording"]
    videos = dataset_copy / "batch1"
    (videos / f"{first}.mp4").write_bytes(b"")
    (videos / f"{second}.mp4").unlink()
    with (
        pytest.warns(UserWarning, match="person_") as caught,
        pytest.raises(AffectkitError, match=f"2 of 3 .*: {first}, {second}"),
    ):
        prepare("affwild2", dataset_copy, tmp_path / "out", crop=CROP)
    texts = [str(warning.message) for warning in caught]
    assert any("is empty" in text and text.startswith(first) for text in texts)
    assert any("does not exist" in text and text.startswith(second) for text in texts)
    assert len(list((tmp_path / "out").glob("*.zarr"))) == 1


def test_unknown_names_and_empty_folders_are_one_line_errors(synthetic_root, tmp_path):
    with pytest.raises(AffectkitError, match="unknown dataset 'synthetik'"):
        prepare("synthetik", synthetic_root, tmp_path)
    with pytest.raises(AffectkitError, match="unknown detector"):
        prepare("synthetic", synthetic_root, tmp_path, detector="dlip")
    with pytest.raises(AffectkitError, match="unknown recording 'nobody'"):
        prepare("synthetic", synthetic_root, tmp_path, only=["nobody"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AffectkitError, match="empty"):
        prepare("affwild2", tmp_path / "empty", tmp_path / "out")


def test_names_may_contain_spaces_quotes_and_any_letters(dataset_copy, prepared, tmp_path):
    old = synthetic.index(dataset_copy)["recording"].iloc[0]
    name = 'Zoë\'s "2nd" tâke [b]; 人 & more'
    for path in sorted(dataset_copy.rglob(f"{old}.*")):
        path.rename(path.with_name(name + path.suffix))
    root = dataset_copy.rename(tmp_path / "my root 'x' [1]")
    (path,) = prepare("affwild2", root, tmp_path / "out é", crop=CROP, only=[name])
    assert path.name == f"{name}.zarr"
    renamed, plain = open_recording(path), open_recording(prepared[0])
    np.testing.assert_array_equal(renamed["face"], plain["face"])
    np.testing.assert_array_equal(renamed["annotation"], plain["annotation"])


def test_a_root_that_is_a_loop_of_links_is_a_one_line_error(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(AffectkitError, match="the folder does not exist"):
        prepare("affwild2", loop, tmp_path / "out")


def test_circular_links_in_the_dataset_are_ignored(dataset_copy, prepared, tmp_path):
    (dataset_copy / "batch1" / "again").symlink_to(dataset_copy, target_is_directory=True)
    (dataset_copy / "batch1" / "self.mp4").symlink_to("self.mp4")
    names = [path.stem for path in prepared]
    paths = prepare("synthetic", dataset_copy, tmp_path / "out", crop=CROP, only=names)
    assert_same(paths, prepared)


@pytest.mark.parametrize("out", ["a file", "a file/below", "a device"])
def test_an_output_folder_that_cannot_be_written_to_is_a_one_line_error(
    out, synthetic_root, tmp_path
):
    (tmp_path / "a file").write_text("")
    # permissions do not stop root, but nobody can create folders in /proc
    path = Path("/proc/affectkit") if out == "a device" else tmp_path / out
    if out == "a device" and not Path("/proc").is_dir():
        path = Path(os.devnull) / "below"
    with pytest.raises(AffectkitError, match="cannot be written to") as error:
        prepare("synthetic", synthetic_root, path)
    assert "\n" not in str(error.value)


def test_a_recording_larger_than_the_free_space_is_refused(tmp_path):
    frames = shutil.disk_usage(tmp_path).free // (3 * CROP.size**2) + 1
    with pytest.raises(AffectkitError, match="are free; free some space"):
        check_free_space(tmp_path, frames, CROP.size)
    check_free_space(tmp_path, FRAMES, CROP.size)


@pytest.fixture(scope="module")
def pair(synthetic_root, tmp_path_factory) -> Path:
    """Aff-Wild2 with a video of two synthetic subjects, and an annotation of each."""
    root = Path(shutil.copytree(synthetic_root, tmp_path_factory.mktemp("pair") / "two"))
    videos, listed = root / "batch1", root / "VA_Estimation_Challenge" / "Train_Set"
    left, right = (list(read_frames(videos / f"person_00{number}.mp4", 99)) for number in (0, 2))
    side_by_side = np.concatenate([left[0][1], right[0][1]], axis=2)
    write_video(videos / "both.mp4", zip(left[0][0].tolist(), side_by_side, strict=True), fps=8)
    for side in ("left", "right"):
        value = -0.5 if side == "left" else 0.5
        lines = [f"{value},{value}"] * FRAMES
        (listed / f"both_{side}.txt").write_text("\n".join(["valence,arousal", *lines, ""]))
    return root


def test_each_person_of_a_video_has_their_own_annotation_and_face(pair, tmp_path):
    names = ["both_left", "both_right"]
    paths = prepare("affwild2", pair, tmp_path, crop=CROP, only=names)
    left, right = (open_recording(path).load() for path in paths)
    for recording, value, first in ((left, -0.5, 0), (right, 0.5, SIZE)):
        assert recording["detected"].all()
        assert (recording["annotation"] == np.float32(value)).all()
        assert recording["landmark"].sel(axis="x").min() > first
        assert recording["landmark"].sel(axis="x").max() < first + SIZE
        assert recording.attrs["subject"] == "both"
    assert np.abs(left["face"].astype(int) - right["face"].astype(int)).mean() > 5
