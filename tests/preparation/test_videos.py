"""Recordings of any videos, with and without an annotation table."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from affectkit.datasets import LabelFormat, synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop
from affectkit.overlay import write_overlay
from affectkit.preparation import prepare_video, prepare_videos
from affectkit.recording import open_recording
from affectkit.video import probe, read_times, write_video
from tests.conftest import REAL, fake_prediction
from tests.preparation.conftest import CROP, assert_same, grey
from tests.video.clips import with_streams


def test_any_video_becomes_a_recording_without_annotation(video, tmp_path):
    recording = open_recording(prepare_video(video, tmp_path / "out", crop=CROP))
    assert recording.attrs["recording"] == "clip"
    assert recording["annotation"].isnull().all()
    assert recording["detected"].all()
    ran = np.flatnonzero(recording["confidence"].notnull())  # key frames, and the last frame
    assert (ran[0], ran[-1]) == (0, recording.sizes["frame"] - 1)
    assert len(ran) < recording.sizes["frame"] / 2


def test_a_table_with_frame_numbers_is_aligned_to_the_frames(video, tmp_path):
    table = pd.DataFrame({"frame": [2, 3, 7], "valence": [0.1, 0.2, 0.3], "arousal": [0, -0.5, 1]})
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.warns(UserWarning, match=r"a\.csv: recording 'clip': 88% of the frames .*hold$"):
        path = prepare_video(video, tmp_path, annotation_csv=tmp_path / "a.csv", crop=CROP)
    known = open_recording(path)["annotation"].dropna("frame")
    assert list(known["frame"]) == [2, 3, 7]
    np.testing.assert_allclose(known, [[0.1, 0], [0.2, -0.5], [0.3, 1]], rtol=1e-6)


def test_a_table_with_times_is_interpolated_at_the_time_stamps(video, tmp_path):
    times = read_times(video)
    table = pd.DataFrame({"time": times[:5] + 0.05, "valence": times[:5], "arousal": 0})
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.warns(UserWarning, match="79% of the frames have no label"):
        path = prepare_video(video, tmp_path, annotation_csv=tmp_path / "a.csv", crop=CROP)
    known = open_recording(path)["annotation"].dropna("frame")
    assert list(known["frame"]) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(known.sel(affect="valence")[1:], times[1:5] - 0.05, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*no face found")
def test_recording_and_overlay_are_of_the_stream_that_was_asked_for(tmp_path):
    path = with_streams(tmp_path / "a.mkv", "small", "large")
    for stream, width in ((None, 128), (0, 64), (1, 128)):
        recording = open_recording(prepare_video(path, tmp_path / "out", stream=stream))
        assert recording.attrs["width"] == width
        prediction = fake_prediction(recording).assign_coords(time=recording["time"])
        overlay = tmp_path / f"{stream}.mp4"
        write_overlay(recording, prediction, overlay)
        assert probe(overlay).width == width


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,valence\n0,0\n", "no column 'arousal'"),
        ("moment,valence,arousal\n0,0,0\n", "no column 'time'"),
        ("frame,valence,arousal\n0,5,0\n", "--label-range LOW HIGH"),
        ("frame,valence,arousal\n0,a,0\n", "numbers only"),
        ("frame,valence,arousal\n1,0,0\n1,0,0\n", "two rows for frame 1"),
        ("frame,valence,arousal\n30,0,0\n", "none of the 1 annotated rows"),
        ("frame,valence,arousal\n", r"a\.csv has no rows below its header"),
        ("time,valence,arousal\n0,0,0\n2875,0,0\n", "milliseconds .* --time-unit ms"),
        ("", r"a\.csv is empty"),
    ],
)
def test_an_invalid_table_is_a_one_line_error(text, message, video, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(AffectkitError, match=message) as error:
        prepare_video(video, tmp_path / "out", annotation_csv=tmp_path / "a.csv", crop=CROP)
    assert "\n" not in str(error.value)


def test_labels_in_the_given_format_replace_those_of_another_and_keep_the_faces(video, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("time,valence,arousal\n0,1,9\n2875,9,1\n")
    path = prepare_video(video, tmp_path / "out", crop=CROP)
    modified = (path / "face" / ".zarray").stat().st_mtime_ns
    labels = LabelFormat("ms", (1, 9), between="hold")
    for _ in range(2):
        prepare_video(video, tmp_path / "out", annotation_csv=table, labels=labels, crop=CROP)
        recording = open_recording(path)
        np.testing.assert_array_equal(recording["annotation"][:-1], [[-1, 1]] * 23)
        np.testing.assert_array_equal(recording["annotation"][-1], [1, -1])
        assert recording.attrs["source_range"]["valence"] == [1, 9]
    assert (path / "face" / ".zarray").stat().st_mtime_ns == modified
    labels = LabelFormat("ms", (0, 10), between="hold")
    prepare_video(video, tmp_path / "out", annotation_csv=table, labels=labels, crop=CROP)
    np.testing.assert_allclose(open_recording(path)["annotation"][0], [-0.8, 0.8], rtol=1e-6)


def test_labels_that_cannot_belong_to_the_video_leave_an_existing_recording(video, tmp_path):
    table = tmp_path / "a.csv"
    path = prepare_video(video, tmp_path / "out", crop=CROP)
    table.write_text("time,valence,arousal\n0,1,0\n2875,1,0\n")
    with pytest.raises(AffectkitError, match="as milliseconds they would fit"):
        prepare_video(video, tmp_path / "out", annotation_csv=table, crop=CROP)
    assert open_recording(path)["annotation"].isnull().all()


def test_frames_counted_from_one_are_moved_with_a_warning(video, tmp_path):
    rows = "".join(f"{number},{number / 24},0\n" for number in range(1, 25))
    (tmp_path / "a.csv").write_text("frame,valence,arousal\n" + rows)
    with pytest.warns(UserWarning, match="1 to 24 and the video has 24 frames: .*--first-frame 1"):
        path = prepare_video(video, tmp_path / "o", annotation_csv=tmp_path / "a.csv", crop=CROP)
    valence = open_recording(path)["annotation"].sel(affect="valence")
    np.testing.assert_allclose(valence, np.arange(1, 25) / 24, rtol=1e-6)


def test_a_video_without_a_face_becomes_a_recording_without_a_face(tmp_path):
    write_video(tmp_path / "grey.mp4", [(number / 10, face) for number, face in enumerate(grey(3))])
    with pytest.warns(UserWarning, match="no face found in 3 frames; try --detector face-al"):
        path = prepare_video(tmp_path / "grey.mp4", tmp_path / "out", crop=CROP)
    recording = open_recording(path)
    assert not recording["detected"].any()
    for name in ("box", "landmark", "crop_box"):
        assert recording[name].isnull().all()
    assert not recording["face"].any()


def test_the_recording_of_another_video_of_the_same_name_is_not_overwritten(
    synthetic_root, video, tmp_path
):
    prepare_video(video, tmp_path / "out", crop=CROP)
    (tmp_path / "other").mkdir()
    other = shutil.copy(
        synthetic.index(synthetic_root)["video"].iloc[1], tmp_path / "other/clip.mp4"
    )
    with pytest.raises(AffectkitError, match="is the recording of another video"):
        prepare_video(Path(other), tmp_path / "out", crop=CROP)


def test_the_recording_of_a_moved_video_is_kept(video, tmp_path):
    path = prepare_video(video, tmp_path / "out", crop=CROP)
    before = open_recording(path).load()
    moved = video.rename(tmp_path / "out" / "clip.mp4")
    prepare_video(moved, tmp_path / "out", crop=CROP)
    assert open_recording(path).attrs["video"] == str(moved)
    np.testing.assert_array_equal(open_recording(path)["face"], before["face"])


def test_a_broken_video_does_not_stop_the_other_videos(synthetic_root, tmp_path):
    videos = [
        Path(shutil.copy(video, tmp_path)) for video in synthetic.index(synthetic_root)["video"]
    ]
    videos[0].write_text("no video")
    with (
        pytest.warns(UserWarning, match="cannot be read as a video"),
        pytest.raises(AffectkitError, match="1 of 3"),
    ):
        prepare_videos(videos, tmp_path / "out", crop=CROP)
    singles = [prepare_video(video, tmp_path / "single", crop=CROP) for video in videos[1:]]
    assert_same([tmp_path / "out" / path.name for path in singles], singles)


def test_two_videos_of_the_same_name_are_an_error(video, tmp_path):
    with pytest.raises(
        AffectkitError,
        match="have the same name, so their recordings would have it too; rename one",
    ):
        prepare_videos([video, tmp_path / "b" / "clip.avi"], tmp_path / "out")


def test_a_video_cannot_be_prepared_with_the_crops_of_a_dataset(video, tmp_path):
    with pytest.raises(AffectkitError, match="comes without crops"):
        prepare_video(video, tmp_path / "out", crop=Crop(size=48, alignment="given"))


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="no real clips next to the project")
@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("WolfgangLanger_Pexels.mp4", 472),
        ("single_face.mp4", 72),
        ("head-pose-face-detection-female.gif", 23),
        ("head-pose-face-detection-male.gif", 62),
    ],
)
def test_recordings_of_real_clips_have_the_frames_and_times_of_the_container(
    name, frames, tmp_path
):
    recording = open_recording(prepare_video(REAL / name, tmp_path))
    assert recording.sizes["frame"] == frames
    np.testing.assert_array_equal(recording["time"], read_times(REAL / name))
    assert float(recording["detected"].mean()) >= 0.95
