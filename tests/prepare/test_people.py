"""Two people in one video: each is followed on a job of their own."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.prepare import prepare
from affectkit.recording import open_recording
from affectkit.video import read_frames, write_video
from tests.prepare.conftest import CROP, FRAMES

SIZE = 128


@pytest.fixture(scope="module")
def pair(drawn, tmp_path_factory) -> Path:
    """Aff-Wild2 with a video of two drawn people, and an annotation for each."""
    root = Path(shutil.copytree(drawn, tmp_path_factory.mktemp("pair") / "two"))
    videos, listed = root / "batch1", root / "VA_Estimation_Challenge" / "Train_Set"
    left, right = (list(read_frames(videos / f"person_00{number}.mp4", 99)) for number in (0, 2))
    beside = np.concatenate([left[0][1], right[0][1]], axis=2)
    write_video(videos / "both.mp4", zip(left[0][0].tolist(), beside, strict=True), fps=8)
    for side in ("left", "right"):
        value = -0.5 if side == "left" else 0.5
        lines = [f"{value},{value}"] * FRAMES
        (listed / f"both_{side}.txt").write_text("\n".join(["valence,arousal", *lines, ""]))
    return root


def test_each_person_gets_their_own_annotation_and_face(pair, tmp_path):
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
