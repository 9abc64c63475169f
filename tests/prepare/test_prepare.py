import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop
from affectkit.prepare import prepare
from affectkit.recording import open_recording
from affectkit.video import read_times
from tests.prepare.conftest import CROP, FRAMES, assert_same


def test_recordings_hold_frames_faces_annotation_and_where_they_come_from(drawn, prepared):
    index = synthetic.index(drawn)
    for path, (_, row) in zip(prepared, index.iterrows(), strict=True):
        recording = open_recording(path)
        np.testing.assert_array_equal(recording["time"], read_times(Path(row["video"])))
        assert recording["face"].shape == (FRAMES, 48, 48, 3)
        assert recording["detected"].all()
        assert recording["face"].values.std() > 20
        expected = synthetic.annotations(drawn, row["recording"])
        np.testing.assert_array_equal(recording["annotation"], expected["annotation"])
        np.testing.assert_array_equal(recording["rating"], expected["rating"])
        assert list(recording["rater"].values) == list(expected["rater"].values)
        for key in ("recording", "subject", "split"):
            assert recording.attrs[key] == row[key]
        assert Path(recording.attrs["video"]).is_file()
        assert recording.attrs["dataset"] == "synthetic"
        assert Crop(**recording.attrs["crop"]) == CROP


def test_progress_counts_frames_and_is_full_when_the_recording_is_written(drawn, tmp_path):
    name, seen = synthetic.index(drawn)["recording"].iloc[0], []

    def progress(*state):
        seen.append((*state, (tmp_path / f"{name}.zarr").exists()))

    prepare("synthetic", drawn, tmp_path, crop=CROP, only=[name], progress=progress)
    assert [done for _, done, _, _ in seen] == sorted(done for _, done, _, _ in seen)
    assert {total for _, _, total, _ in seen} == {FRAMES}
    assert [written for _, done, total, written in seen if done == total] == [True]
    assert not any(written for _, done, total, written in seen if done < total)


def test_recordings_cut_otherwise_are_made_again(drawn, tmp_path):
    names = list(synthetic.index(drawn)["recording"][:1])
    (path,) = prepare("synthetic", drawn, tmp_path, crop=CROP, only=names)
    prepare("synthetic", drawn, tmp_path, crop=Crop(size=32), only=names)
    assert open_recording(path).sizes["row"] == 32


def test_a_broken_video_is_told_and_the_others_are_made(copy, tmp_path):
    broken = Path(synthetic.index(copy)["video"].iloc[0])
    broken.write_text("no video")
    with (
        pytest.warns(UserWarning, match=rf"^{broken.stem}: .*cannot be read as a video"),
        pytest.raises(AffectkitError, match="1 of 3 recordings could not be made") as error,
    ):
        prepare("synthetic", copy, tmp_path / "out", crop=CROP)
    assert str(broken) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(list((tmp_path / "out").glob("*.zarr"))) == 2


def test_every_failure_is_told_with_its_reason(copy, tmp_path):
    first, second, _ = synthetic.index(copy)["recording"]
    videos = copy / "batch1"
    (videos / f"{first}.mp4").write_bytes(b"")
    (videos / f"{second}.mp4").unlink()
    with (
        pytest.warns(UserWarning, match="person_") as told,
        pytest.raises(AffectkitError, match=f"2 of 3 .*: {first}, {second}"),
    ):
        prepare("affwild2", copy, tmp_path / "out", crop=CROP)
    texts = [str(warning.message) for warning in told]
    assert any("is empty" in text and text.startswith(first) for text in texts)
    assert any("does not exist" in text and text.startswith(second) for text in texts)
    assert len(list((tmp_path / "out").glob("*.zarr"))) == 1


def test_wrong_names_and_empty_folders_are_one_line(drawn, tmp_path):
    with pytest.raises(AffectkitError, match="unknown dataset 'synthetik'"):
        prepare("synthetik", drawn, tmp_path)
    with pytest.raises(AffectkitError, match="unknown detector"):
        prepare("synthetic", drawn, tmp_path, detector="dlip")
    with pytest.raises(AffectkitError, match="unknown recording 'nobody'"):
        prepare("synthetic", drawn, tmp_path, only=["nobody"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AffectkitError, match="empty"):
        prepare("affwild2", tmp_path / "empty", tmp_path / "out")


def test_names_may_hold_spaces_quotes_and_any_letters(copy, prepared, tmp_path):
    old = synthetic.index(copy)["recording"].iloc[0]
    name = 'Zoë\'s "2nd" tâke [b]; 人 & more'
    for path in sorted(copy.rglob(f"{old}.*")):
        path.rename(path.with_name(name + path.suffix))
    root = copy.rename(tmp_path / "my root 'x' [1]")
    (path,) = prepare("affwild2", root, tmp_path / "out é", crop=CROP, only=[name])
    assert path.name == f"{name}.zarr"
    renamed, plain = open_recording(path), open_recording(prepared[0])
    np.testing.assert_array_equal(renamed["face"], plain["face"])
    np.testing.assert_array_equal(renamed["annotation"], plain["annotation"])


def test_a_root_that_is_a_loop_of_links_is_one_line(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(AffectkitError, match="there is no such folder"):
        prepare("affwild2", loop, tmp_path / "out")


def test_links_that_lead_back_are_not_followed_for_ever(copy, prepared, tmp_path):
    (copy / "batch1" / "again").symlink_to(copy, target_is_directory=True)
    (copy / "batch1" / "self.mp4").symlink_to("self.mp4")
    names = [path.stem for path in prepared]
    paths = prepare("synthetic", copy, tmp_path / "out", crop=CROP, only=names)
    assert_same(paths, prepared)


@pytest.mark.parametrize("out", ["a file", "a file/below", "a device"])
def test_a_folder_that_cannot_be_written_to_is_one_line(out, drawn, tmp_path):
    (tmp_path / "a file").write_text("")
    # as root permissions do not hold; nobody can make folders in /proc
    path = Path("/proc/affectkit") if out == "a device" else tmp_path / out
    if out == "a device" and not Path("/proc").is_dir():
        path = Path(os.devnull) / "below"
    with pytest.raises(AffectkitError, match="cannot be written to") as error:
        prepare("synthetic", drawn, path)
    assert "\n" not in str(error.value)


def test_what_the_disk_cannot_hold_is_refused_before_the_work(drawn, tmp_path):
    name = synthetic.index(drawn)["recording"].iloc[0]
    free = shutil.disk_usage(tmp_path).free
    size = int((free / FRAMES / 3) ** 0.5) + 100
    with pytest.raises(AffectkitError, match="are free; make room"):
        prepare("synthetic", drawn, tmp_path, crop=Crop(size=size), only=[name])
    assert not list(tmp_path.iterdir())
