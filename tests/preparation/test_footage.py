"""Folders of numbered pictures with a frame rate are used like videos."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affectkit.checking import check
from affectkit.datasets import table
from affectkit.errors import AffectkitError
from affectkit.overlay import write_overlay
from affectkit.preparation import prepare, prepare_video
from affectkit.recording import open_recording
from affectkit.video import read_frames, read_times
from affectkit.video.stills import numbered_pictures
from tests.conftest import fake_prediction
from tests.datasets.files import write_lines
from tests.preparation.conftest import CROP

FPS = 10


@pytest.fixture
def footage(video, tmp_path) -> Path:
    """The frames of a clip as pictures, from number 1; the fourth is missing."""
    folder = tmp_path / "data" / "clip.v1"
    folder.mkdir(parents=True)
    pictures = np.concatenate([rgb for _, rgb in read_frames(video)])
    for number, rgb in enumerate(pictures, start=1):
        if number != 4:
            Image.fromarray(rgb).save(folder / f"clip_{number}.PNG")
    (folder / "notes.txt").touch()
    return folder


def test_the_last_number_of_a_name_is_the_frame(footage):
    names = numbered_pictures(footage)
    assert names[:5] == ["clip_1.PNG", "clip_2.PNG", "clip_3.PNG", "", "clip_5.PNG"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.png", "1.txt"], "no numbered pictures"),
        (["1.png", "01.png"], "01.png and 1.png have the same number"),
        (["1.png", "1690000000.png"], "expected consecutive numbers, got 2 pictures numbered from"),
    ],
)
def test_pictures_that_are_not_footage_are_refused(names, message, tmp_path):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(AffectkitError, match=message):
        numbered_pictures(tmp_path)


@pytest.mark.filterwarnings("ignore:.*of the frames have no label")
def test_a_recording_of_pictures_has_times_faces_annotation_and_overlay(footage, tmp_path):
    write_lines(tmp_path / "a.csv", "time,valence,arousal", "0,0,1", "0.4,0.4,1")
    path = prepare_video(
        footage, tmp_path / "out", annotation_csv=tmp_path / "a.csv", fps=FPS, crop=CROP
    )
    recording = open_recording(path)
    assert recording.attrs["recording"] == "clip.v1"
    assert recording.attrs["fps"] == FPS
    np.testing.assert_allclose(recording["time"], np.arange(recording.sizes["frame"]) / FPS)
    np.testing.assert_allclose(recording["annotation"][:5, 0], np.arange(5) / 10, atol=1e-6)
    assert recording["annotation"][7:].isnull().all()
    assert recording["still"].values[3] == ""
    assert recording["crop_box"][3].isnull().all()
    assert recording["detected"].mean() > 0.8
    prediction = fake_prediction(recording).assign_coords(time=recording["time"])
    write_overlay(recording, prediction, tmp_path / "overlay.mp4")
    np.testing.assert_allclose(read_times(tmp_path / "overlay.mp4"), recording["time"], atol=1e-9)


def test_a_recording_of_pictures_is_made_again_for_another_rate_only(footage, tmp_path):
    made = []
    for fps in (FPS, FPS, 2 * FPS):
        path = prepare_video(footage, tmp_path, fps=fps, crop=CROP)
        made.append((path.stat().st_mtime_ns, float(open_recording(path)["time"][1])))
    assert made[0] == made[1]
    assert made[2][1] == 1 / (2 * FPS)


@pytest.mark.parametrize(
    ("fps", "message"), [(None, "give their frame rate"), (0, "above 0"), (float("nan"), "above 0")]
)
def test_a_folder_of_pictures_needs_a_frame_rate(fps, message, footage, tmp_path):
    with pytest.raises(AffectkitError, match=message):
        prepare_video(footage, tmp_path, fps=fps)


def test_a_video_takes_no_frame_rate(video, tmp_path):
    with pytest.raises(AffectkitError, match="videos have time stamps"):
        prepare_video(video, tmp_path, fps=FPS)


def test_a_table_may_name_a_folder_of_pictures_and_their_rate(footage, tmp_path):
    lines = ["video,fps,frame,valence,arousal", *(f"clip.v1,10,{n},0,0.5" for n in range(24))]
    write_lines(footage.parent / "a.csv", *lines)
    row = table.index(footage.parent).iloc[0]
    assert (row["video"], row["fps"]) == (str(footage), FPS)
    report = check("table", footage.parent)
    assert not [each for each in report.findings if "video" in each.kind or "rate" in each.kind]
    (path,) = prepare("table", footage.parent, tmp_path / "out", crop=CROP)
    recording = open_recording(path)
    assert recording["annotation"].notnull().all()
    assert float(recording["time"][1]) == 1 / FPS


def test_check_says_that_the_rate_is_missing(footage):
    write_lines(footage.parent / "a.csv", "video,frame,valence,arousal", "clip.v1,0,0,0.5")
    kinds = [each.kind for each in check("table", footage.parent).findings]
    assert "pictures without frame rate" in kinds
    assert "unreadable video" not in kinds
