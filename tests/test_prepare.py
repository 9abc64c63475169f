import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.faces import Crop
from affectkit.prepare import prepare, prepare_video
from affectkit.recording import open_recording
from affectkit.video import read_times, write_video

REAL = next(
    (p / "shared/real" for p in Path(__file__).parents if (p / "shared/real").is_dir()), None
)
CROP = Crop(size=48)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """Three drawn people; to be read only."""
    root = tmp_path_factory.mktemp("synthetic") / "drawn"
    return synthetic.write(root, people=(1, 1, 1), seconds=2, fps=8, workers=1)


@pytest.fixture(scope="module")
def prepared(drawn, tmp_path_factory) -> list[Path]:
    """Their recordings; to be read only."""
    return prepare("synthetic", drawn, tmp_path_factory.mktemp("recordings"), crop=CROP)


@pytest.fixture
def clip(drawn, tmp_path) -> Path:
    """The video of one drawn person."""
    return Path(shutil.copy(synthetic.index(drawn)["video"].iloc[0], tmp_path / "clip.mp4"))


def assert_same(paths: list[Path], others: list[Path]) -> None:
    assert [path.name for path in paths] == [path.name for path in others]
    for path, other in zip(paths, others, strict=True):
        xr.testing.assert_identical(open_recording(path).load(), open_recording(other).load())


def test_recordings_hold_frames_faces_annotation_and_where_they_come_from(drawn, prepared):
    index = synthetic.index(drawn)
    for path, (_, row) in zip(prepared, index.iterrows(), strict=True):
        recording = open_recording(path)
        np.testing.assert_array_equal(recording["time"], read_times(Path(row["video"])))
        assert recording["face"].shape == (16, 48, 48, 3)
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


def test_several_processes_give_the_same_recordings(drawn, prepared, tmp_path):
    seen = []
    paths = prepare(
        "synthetic", drawn, tmp_path, crop=CROP, workers=2, progress=lambda *a: seen.append(a)
    )
    assert_same(paths, prepared)
    assert {name for name, done, total in seen if done == total == 16} == {p.stem for p in paths}


def test_what_is_there_stays_and_what_was_cut_otherwise_is_made_again(drawn, tmp_path):
    names = list(synthetic.index(drawn)["recording"][:2])
    first, second = prepare("synthetic", drawn, tmp_path, crop=CROP, only=names)
    shutil.rmtree(second)
    stamp = first.stat().st_mtime_ns
    prepare("synthetic", drawn, tmp_path, crop=CROP, only=names)
    assert first.stat().st_mtime_ns == stamp
    assert second.is_dir()
    prepare("synthetic", drawn, tmp_path, crop=Crop(size=32), only=names)
    assert open_recording(first).sizes["row"] == 32


def test_a_broken_video_is_reported_after_the_others_are_made(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "copy")
    broken = Path(synthetic.index(root)["video"].iloc[0])
    broken.write_text("no video")
    with pytest.raises(AffectkitError, match="1 of 3 recordings could not be made") as error:
        prepare("synthetic", root, tmp_path / "out", crop=CROP)
    assert str(broken) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(list((tmp_path / "out").glob("*.zarr"))) == 2


def test_two_people_of_one_video_are_left_out_not_mixed_up(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "two")
    listed = root / "VA_Estimation_Challenge" / "Train_Set"
    name = synthetic.index(drawn).query("split == 'train'")["recording"].item()
    shutil.copy(listed / f"{name}.txt", listed / f"{name}_left.txt")
    with pytest.warns(UserWarning, match=f"left out {name}, {name}_left: they share videos"):
        paths = prepare("affwild2", root, tmp_path / "R", crop=CROP)
    assert len(paths) == 2
    assert name not in [path.stem for path in paths]


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


SCRIPT = """
import sys
from pathlib import Path
from affectkit.faces import Crop
from affectkit.prepare import prepare
if __name__ == "__main__":
    prepare("synthetic", Path(sys.argv[1]), Path(sys.argv[2]), crop=Crop(size=48))
"""


@pytest.mark.parametrize("moment", ["first recording written", "first one begun"])
def test_killed_and_run_again_gives_the_same_as_undisturbed(moment, drawn, prepared, tmp_path):
    out = tmp_path / "out"
    pattern = "[!.]*.zarr" if moment == "first recording written" else ".partial-*"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(drawn), str(out)])
    deadline = time.monotonic() + 60
    while not list(out.glob(pattern)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert_same(prepare("synthetic", drawn, out, crop=CROP), prepared)
    assert not list(out.glob(".partial-*"))


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


def test_a_video_without_a_face_names_another_detector(tmp_path):
    grey = np.full((96, 96, 3), 127, np.uint8)
    write_video(tmp_path / "grey.mp4", [(0.0, grey), (0.1, grey)])
    with pytest.raises(AffectkitError, match="no face found in 2 frames; try --detector face-al"):
        prepare_video(tmp_path / "grey.mp4", tmp_path / "out")


def test_another_video_of_the_same_name_is_not_overwritten(clip, tmp_path):
    prepare_video(clip, tmp_path / "out", crop=CROP)
    (tmp_path / "other").mkdir()
    twin = Path(shutil.copy(clip, tmp_path / "other/clip.mp4"))
    with pytest.raises(AffectkitError, match="is of another video"):
        prepare_video(twin, tmp_path / "out", crop=CROP)


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
