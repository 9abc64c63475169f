import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.doctor import report, video_report
from affectkit.errors import AffectkitError
from affectkit.video import write_video


def test_the_report_names_every_package_once_and_what_to_do():
    checks = report()
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    assert {"python", "av", "torch", "dlib-bin", "streamlit", "jupyterlab", "devices"} <= set(names)
    assert {"browser", "H.264 encoder", "dlib's 68 points", "face-alignment's weights"} <= set(
        names
    )
    assert all(check.found if check.ok else check.advice for check in checks)


def test_a_video_of_a_face_is_described(tmp_path):
    root = synthetic.write(tmp_path / "drawn", people=(0, 0, 1), seconds=1, fps=8, workers=1)
    described = video_report(synthetic.index(root)["video"].iloc[0])
    assert described["faces"] == 1
    assert (described["announced_frames"], described["decoded_frames"]) == (8, 8)
    assert described["rate"] == "constant"
    assert described["interval_median"] == pytest.approx(1 / 8)
    assert described["faulty_stamps"] == 0
    assert described["warnings"] == []


def test_uneven_time_stamps_are_told(tmp_path):
    grey = np.full((64, 64, 3), 127, np.uint8)
    write_video(tmp_path / "a.mp4", [(time, grey) for time in (0.5, 0.6, 0.9)])
    described = video_report(tmp_path / "a.mp4")
    assert described["rate"] == "variable"
    assert described["first_time"] == pytest.approx(0.5)
    assert described["interval_max"] == pytest.approx(0.3)
    assert described["faces"] == 0


def test_one_frame_is_enough_and_none_is_an_error(tmp_path):
    write_video(tmp_path / "a.mp4", [(0.0, np.full((64, 64, 3), 127, np.uint8))])
    assert video_report(tmp_path / "a.mp4")["decoded_frames"] == 1
    with pytest.raises(AffectkitError, match="does not exist"):
        video_report(tmp_path / "b.mp4")
