"""Videos of one's own."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop
from affectkit.prepare import prepare_video, prepare_videos
from affectkit.recording import open_recording
from affectkit.video import read_times, write_video
from tests.prepare.conftest import CROP, assert_same, grey

REAL = next(
    (p / "shared/real" for p in Path(__file__).parents if (p / "shared/real").is_dir()), None
)


def test_a_video_of_ones_own_becomes_a_recording_without_annotation(clip, tmp_path):
    recording = open_recording(prepare_video(clip, tmp_path / "out", crop=CROP))
    assert recording.attrs["recording"] == "clip"
    assert recording["annotation"].isnull().all()
    assert recording["detected"].all()


def test_a_table_by_frame_is_laid_on_the_frames(clip, tmp_path):
    table = pd.DataFrame({"frame": [2, 3, 7], "valence": [0.1, 0.2, 0.3], "arousal": [0, -0.5, 1]})
    table.to_csv(tmp_path / "a.csv", index=False)
    path = prepare_video(clip, tmp_path, annotation_csv=tmp_path / "a.csv", crop=CROP)
    known = open_recording(path)["annotation"].dropna("frame")
    assert list(known["frame"]) == [2, 3, 7]
    np.testing.assert_allclose(known, [[0.1, 0], [0.2, -0.5], [0.3, 1]], rtol=1e-6)


def test_a_table_by_time_is_read_at_the_time_stamps(clip, tmp_path):
    times = read_times(clip)
    table = pd.DataFrame({"time": times[:5] + 0.05, "valence": times[:5], "arousal": 0})
    table.to_csv(tmp_path / "a.csv", index=False)
    path = prepare_video(clip, tmp_path, annotation_csv=tmp_path / "a.csv", crop=CROP)
    known = open_recording(path)["annotation"].dropna("frame")
    assert list(known["frame"]) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(known.sel(affect="valence")[1:], times[1:5] - 0.05, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,valence\n0,0\n", "no column 'arousal'"),
        ("second,valence,arousal\n0,0,0\n", "no column 'time'"),
        ("frame,valence,arousal\n0,5,0\n", "divide them"),
        ("frame,valence,arousal\n0,a,0\n", "numbers only"),
        ("frame,valence,arousal\n1,0,0\n1,0,0\n", "two rows for frame 1"),
        ("frame,valence,arousal\n900,0,0\n", "none of its 1 annotated rows"),
        ("", "cannot be read as a CSV table"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_one_line(text, message, clip, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(AffectkitError, match=message) as error:
        prepare_video(clip, tmp_path / "out", annotation_csv=tmp_path / "a.csv", crop=CROP)
    assert "\n" not in str(error.value)


def test_a_video_without_a_face_is_a_recording_without_one(tmp_path):
    write_video(tmp_path / "grey.mp4", [(number / 10, face) for number, face in enumerate(grey(3))])
    with pytest.warns(UserWarning, match="no face found in 3 frames; try --detector face-al"):
        path = prepare_video(tmp_path / "grey.mp4", tmp_path / "out", crop=CROP)
    recording = open_recording(path)
    assert not recording["detected"].any()
    for name in ("box", "landmark", "crop_box"):
        assert recording[name].isnull().all()
    assert not recording["face"].any()


def test_another_video_of_the_same_name_is_not_overwritten(drawn, clip, tmp_path):
    prepare_video(clip, tmp_path / "out", crop=CROP)
    (tmp_path / "other").mkdir()
    other = shutil.copy(synthetic.index(drawn)["video"].iloc[1], tmp_path / "other/clip.mp4")
    with pytest.raises(AffectkitError, match="is of another video"):
        prepare_video(Path(other), tmp_path / "out", crop=CROP)


def test_a_video_that_moved_is_still_the_same(clip, tmp_path):
    path = prepare_video(clip, tmp_path / "out", crop=CROP)
    before = open_recording(path).load()
    moved = clip.rename(tmp_path / "out" / "clip.mp4")
    prepare_video(moved, tmp_path / "out", crop=CROP)
    assert open_recording(path).attrs["video"] == str(moved)
    np.testing.assert_array_equal(open_recording(path)["face"], before["face"])


def test_several_videos_go_on_past_a_broken_one(drawn, tmp_path):
    videos = [Path(shutil.copy(video, tmp_path)) for video in synthetic.index(drawn)["video"]]
    videos[0].write_text("no video")
    with (
        pytest.warns(UserWarning, match="cannot be read as a video"),
        pytest.raises(AffectkitError, match="1 of 3"),
    ):
        prepare_videos(videos, tmp_path / "out", crop=CROP)
    singles = [prepare_video(video, tmp_path / "single", crop=CROP) for video in videos[1:]]
    assert_same([tmp_path / "out" / path.name for path in singles], singles)


def test_two_videos_of_one_name_are_refused(clip, tmp_path):
    with pytest.raises(AffectkitError, match="would make the same recording; rename one"):
        prepare_videos([clip, tmp_path / "b" / "clip.avi"], tmp_path / "out")


def test_a_video_cannot_be_cut_as_a_dataset_cut_its_own(clip, tmp_path):
    with pytest.raises(AffectkitError, match="brings no crops of its own"):
        prepare_video(clip, tmp_path / "out", crop=Crop(size=48, alignment="given"))


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="no real clips beside the project")
@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("WolfgangLanger_Pexels.mp4", 472),
        ("single_face.mp4", 72),
        ("head-pose-face-detection-female.gif", 23),
        ("head-pose-face-detection-male.gif", 62),
    ],
)
def test_real_clips_give_a_row_a_frame_with_the_containers_time(name, frames, tmp_path):
    recording = open_recording(prepare_video(REAL / name, tmp_path))
    assert recording.sizes["frame"] == frames
    np.testing.assert_array_equal(recording["time"], read_times(REAL / name))
    assert float(recording["detected"].mean()) >= 0.95
