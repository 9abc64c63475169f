"""Landmarks and crops of a dataset are used as they are, for pictures and for videos."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affectkit import datasets
from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop, crop_boxes
from affectkit.parallel import no_progress
from affectkit.preparation import face_track, prepare, readers
from affectkit.preparation.create import create_recording
from affectkit.preparation.tasks import RecordingTask
from affectkit.recording import open_recording
from affectkit.training.run_metadata import check_crop_settings
from affectkit.video import read_frames, read_times
from tests.preparation.conftest import CROP

FPS = 8


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Write one synthetic subject in any layout."""

    def write(layout: str) -> Path:
        folder = tmp_path_factory.mktemp(layout) / "dataset"
        return synthetic.write_synthetic(
            folder, layout=layout, subjects=(1, 0, 0), seconds=2, fps=FPS, size=128, workers=1
        )

    return write


def first(dataset: str, root: Path, out: Path, **options: object):
    name = datasets.find_loader(dataset).index(root)["recording"].iloc[0]
    (path,) = prepare(dataset, root, out, crop=CROP, only=[name], **options)
    return open_recording(path), datasets.find_loader(dataset).annotations(root, name)


def test_landmarks_of_pictures_are_kept_and_cropped_with_the_crop_settings(root, tmp_path):
    folder = root("afew_va")
    recording, known = first("afew_va", folder, tmp_path)
    np.testing.assert_array_equal(recording["landmark"], known["landmark"])
    np.testing.assert_array_equal(recording["annotation"], known["annotation"])
    assert recording["still"].values.tolist() == known["still"].values.tolist()
    assert recording["detected"].all()
    assert Crop(**recording.attrs["crop"]) == CROP
    boxes = crop_boxes(known["landmark"].values, recording["time"].values, CROP)
    np.testing.assert_array_equal(recording["crop_box"], boxes)
    assert recording["face"].shape == (recording.sizes["frame"], 48, 48, 3)
    assert recording.attrs["history"].endswith("faces from the dataset")
    assert recording["face"].values.std(axis=(1, 2, 3)).min() > 20
    picture = Path(recording.attrs["video"]) / str(recording["still"].values[0])
    with Image.open(picture) as image:
        assert image.size == (recording.attrs["width"], recording.attrs["height"])


def test_unrelated_pictures_are_far_apart_in_time_and_their_boxes_are_not_smoothed(root, tmp_path):
    recording, known = first("affectnet", root("affectnet_2017"), tmp_path)
    assert (np.diff(recording["time"]) >= 100).all()
    alone = crop_boxes(known["landmark"].values[3:4], recording["time"].values[3:4], CROP)
    np.testing.assert_allclose(recording["crop_box"][3:4], alone, atol=1e-3)


def test_crops_of_the_dataset_are_only_resized_and_the_crop_settings_say_so(root, tmp_path):
    recording, known = first("affwild2-crops", root("affwild2_crops"), tmp_path)
    assert recording.attrs["crop"]["alignment"] == "given"
    np.testing.assert_array_equal(recording["crop_box"], known["crop_box"])
    assert recording["landmark"].isnull().all()
    there = known["still"].values != ""
    assert recording["detected"].values.tolist() == there.tolist()
    assert "confidence" not in recording  # no detector has run
    number = int(np.flatnonzero(there)[0])
    with Image.open(Path(recording.attrs["video"]) / str(known["still"].values[number])) as image:
        small = np.asarray(image.convert("RGB").resize((48, 48), Image.Resampling.BOX), int)
    np.testing.assert_allclose(recording["face"][number], small, atol=40)
    assert np.abs(recording["face"][number].values - small).mean() < 4
    with pytest.raises(AffectkitError, match="alignment='given', the run was trained with"):
        check_crop_settings(vars(CROP), recording)


def test_times_of_pictures_given_by_the_dataset_are_kept(root, tmp_path):
    folder = root("affwild2_crops")
    row = datasets.find_loader("affwild2-crops").index(folder).iloc[0]
    known = datasets.find_loader("affwild2-crops").annotations(folder, row["recording"])
    time = np.cumsum(np.resize([0.02, 0.06], known.sizes["frame"]))
    task = RecordingTask(
        video=Path(row["video"]), path=tmp_path / "timed.zarr", attrs={}, person="",
        read_annotations=lambda: known.assign_coords(time=("frame", time)), annotation_files=(),
        fps=math.nan, detector="dlib", options={}, crop=CROP, detect=False,
    )  # fmt: skip
    assert create_recording(task, no_progress) == len(time)
    np.testing.assert_array_equal(open_recording(task.path)["time"], time)


def test_landmarks_of_a_video_are_aligned_to_its_time_stamps(root, tmp_path):
    folder = root("affwild")
    recording, known = first("affwild", folder, tmp_path)
    video = Path(recording.attrs["video"])
    np.testing.assert_array_equal(recording["time"], read_times(video))
    np.testing.assert_array_equal(
        recording["landmark"], known["landmark"].reindex(frame=recording["frame"])
    )
    np.testing.assert_array_equal(recording["box"], known["box"].reindex(frame=recording["frame"]))
    assert recording["face"].values.std(axis=(1, 2, 3)).min() > 20


@pytest.mark.parametrize("dataset", ["afew_va", "affwild"])
def test_detect_ignores_the_landmarks_of_the_dataset(dataset, root, tmp_path):
    recording, known = first(dataset, root(dataset), tmp_path, detect=True)
    given = known["landmark"].reindex(frame=recording["frame"]).values
    assert recording["detected"].mean() > 0.8
    found = recording["landmark"].values
    assert not np.array_equal(found, given)
    miss = np.linalg.norm(found - given, axis=-1)
    assert np.nanmedian(miss) < 6  # pixels of 128: dlib differs a little on synthetic faces
    assert "by dlib" in recording.attrs["history"]


def test_faces_are_detected_if_most_frames_have_no_landmarks(root, tmp_path):
    folder = root("affwild")
    points = sorted((folder).rglob("landmarks/**/*.pts"))
    for path in points[: 3 * len(points) // 4]:
        path.unlink()
    recording, _ = first("affwild", folder, tmp_path)
    assert "by dlib" in recording.attrs["history"]
    assert recording["detected"].mean() > 0.8


def test_a_folder_without_readable_pictures_is_a_one_line_error(root, tmp_path):
    folder = root("afew_va")
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(AffectkitError, match=r"none of its \d+ pictures can be read"):
        first("afew_va", folder, tmp_path)


def test_crops_of_pictures_do_not_depend_on_the_batch_size(root, tmp_path, monkeypatch):
    folder = root("afew_va")
    one, _ = first("afew_va", folder, tmp_path / "a")
    monkeypatch.setattr(readers, "BATCH", 3)
    other, _ = first("afew_va", folder, tmp_path / "b")
    np.testing.assert_array_equal(one["face"], other["face"])


def test_crops_of_a_video_do_not_depend_on_the_batch_size(
    synthetic_root, prepared, tmp_path, monkeypatch
):
    for module in (face_track, readers):
        monkeypatch.setattr(module, "BATCH", 5)
    (path,) = prepare("synthetic", synthetic_root, tmp_path, crop=CROP, only=[prepared[0].stem])
    one, other = (open_recording(each).load() for each in (path, prepared[0]))
    assert one.identical(other)
    shown = sum(len(rgb) for _, rgb in read_frames(Path(one.attrs["video"])))
    assert shown == one.sizes["frame"]


def write_text_as_picture(path):
    path.write_bytes(b"not a picture")


def write_too_many_pixels(path):
    Image.new("1", (20_000, 9_500)).save(path)


@pytest.mark.parametrize("break_picture", [write_text_as_picture, write_too_many_pixels])
def test_only_the_frames_of_missing_pictures_are_black_and_without_a_crop(break_picture, tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "dataset",
        layout="afew_va",
        quirks=True,
        subjects=(1, 0, 0),
        seconds=2,
        fps=8,
        size=64,
        workers=1,
    )
    break_picture(root / "001" / "00005.png")
    with pytest.warns(UserWarning, match="1 of 8 pictures cannot be read.*00005"):
        path = prepare("afew_va", root, tmp_path / "out", only=["001"])[0]
    recording = open_recording(path)
    black = ~recording["face"].any(("row", "col", "channel")).values
    assert np.flatnonzero(black).tolist() == [2, 5]
    assert np.isnan(recording["crop_box"]).all("edge").values.tolist() == black.tolist()
    assert recording["still"].values[:4].tolist() == ["00000.png", "00001.png", "", "00003.png"]
    np.testing.assert_allclose(recording["time"], np.arange(8) / 25)
