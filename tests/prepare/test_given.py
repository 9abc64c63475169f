"""Faces that a dataset brings along are taken as they are, from pictures and from videos."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affectkit import datasets
from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop, crop_boxes
from affectkit.prepare import finding, footage, prepare
from affectkit.prepare.job import Job, silent
from affectkit.prepare.making import make
from affectkit.recording import open_recording
from affectkit.training.contract import check_crop
from affectkit.video import read_frames, read_times
from tests.prepare.conftest import CROP

FPS = 8


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One drawn person in any layout."""

    def write(layout: str) -> Path:
        folder = tmp_path_factory.mktemp(layout) / "drawn"
        return synthetic.write(
            folder, layout=layout, people=(1, 0, 0), seconds=2, fps=FPS, size=128, workers=1
        )

    return write


def first(dataset: str, root: Path, out: Path, **options: object):
    name = datasets.find(dataset).index(root)["recording"].iloc[0]
    (path,) = prepare(dataset, root, out, crop=CROP, only=[name], **options)
    return open_recording(path), datasets.find(dataset).annotations(root, name)


def test_landmarks_of_pictures_are_taken_and_cut_by_the_contract(root, tmp_path):
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
    assert recording.attrs["history"].endswith("faces as the dataset gives them")
    assert recording["face"].values.std(axis=(1, 2, 3)).min() > 20
    picture = Path(recording.attrs["video"]) / str(recording["still"].values[0])
    with Image.open(picture) as image:
        assert image.size == (recording.attrs["width"], recording.attrs["height"])


def test_pictures_that_do_not_belong_together_keep_their_distance_in_time(root, tmp_path):
    recording, known = first("affectnet", root("affectnet_2017"), tmp_path)
    assert (np.diff(recording["time"]) >= 100).all()
    # so that no box is smoothed over its neighbours
    alone = crop_boxes(known["landmark"].values[3:4], recording["time"].values[3:4], CROP)
    np.testing.assert_allclose(recording["crop_box"][3:4], alone, atol=1e-3)


def test_crops_are_only_resized_and_the_contract_says_so(root, tmp_path):
    recording, known = first("affwild2-crops", root("affwild2_crops"), tmp_path)
    assert recording.attrs["crop"]["alignment"] == "given"
    np.testing.assert_array_equal(recording["crop_box"], known["crop_box"])
    assert recording["landmark"].isnull().all()
    there = known["still"].values != ""
    assert recording["detected"].values.tolist() == there.tolist()
    number = int(np.flatnonzero(there)[0])
    with Image.open(Path(recording.attrs["video"]) / str(known["still"].values[number])) as image:
        small = np.asarray(image.convert("RGB").resize((48, 48), Image.Resampling.BOX), int)
    np.testing.assert_allclose(recording["face"][number], small, atol=40)
    assert np.abs(recording["face"][number].values - small).mean() < 4
    with pytest.raises(AffectkitError, match="alignment='given', the run was trained with"):
        check_crop(vars(CROP), recording)


def test_times_that_the_dataset_gives_its_pictures_are_kept(root, tmp_path):
    folder = root("affwild2_crops")
    row = datasets.find("affwild2-crops").index(folder).iloc[0]
    known = datasets.find("affwild2-crops").annotations(folder, row["recording"])
    time = np.cumsum(np.resize([0.02, 0.06], known.sizes["frame"]))
    job = Job(
        video=Path(row["video"]), path=tmp_path / "timed.zarr", attrs={}, person="",
        annotate=lambda: known.assign_coords(time=("frame", time)), annotation_files=(),
        fps=math.nan, detector="dlib", options={}, crop=CROP, detect=False,
    )  # fmt: skip
    assert make(job, silent) == len(time)
    np.testing.assert_array_equal(open_recording(job.path)["time"], time)


def test_landmarks_of_a_video_are_taken_at_its_own_times(root, tmp_path):
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
def test_faces_are_looked_for_on_demand(dataset, root, tmp_path):
    recording, known = first(dataset, root(dataset), tmp_path, detect=True)
    given = known["landmark"].reindex(frame=recording["frame"]).values
    assert recording["detected"].mean() > 0.8
    found = recording["landmark"].values
    assert not np.array_equal(found, given)
    miss = np.linalg.norm(found - given, axis=-1)
    assert np.nanmedian(miss) < 6  # of 128 pixels: dlib's idea of a drawn face
    assert "by dlib" in recording.attrs["history"]


def test_where_most_frames_have_no_landmarks_the_face_is_looked_for(root, tmp_path):
    folder = root("affwild")
    points = sorted((folder).rglob("landmarks/**/*.pts"))
    for path in points[: 3 * len(points) // 4]:
        path.unlink()
    recording, _ = first("affwild", folder, tmp_path)
    assert "by dlib" in recording.attrs["history"]
    assert recording["detected"].mean() > 0.8


def test_pictures_that_are_gone_are_one_line(root, tmp_path):
    folder = root("afew_va")
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(AffectkitError, match=r"none of its \d+ pictures can be read"):
        first("afew_va", folder, tmp_path)


def test_pictures_are_cut_alike_in_all_batches(root, tmp_path, monkeypatch):
    folder = root("afew_va")
    one, _ = first("afew_va", folder, tmp_path / "a")
    monkeypatch.setattr(footage, "BATCH", 3)
    other, _ = first("afew_va", folder, tmp_path / "b")
    np.testing.assert_array_equal(one["face"], other["face"])


def test_videos_are_cut_alike_in_all_batches(drawn, prepared, tmp_path, monkeypatch):
    for module in (finding, footage):
        monkeypatch.setattr(module, "BATCH", 5)
    (path,) = prepare("synthetic", drawn, tmp_path, crop=CROP, only=[prepared[0].stem])
    one, other = (open_recording(each).load() for each in (path, prepared[0]))
    assert one.identical(other)
    shown = sum(len(rgb) for _, rgb in read_frames(Path(one.attrs["video"])))
    assert shown == one.sizes["frame"]
