import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.video_player import widget


def test_a_small_video_is_in_the_state_of_the_widget(recording, make_prediction, tmp_path):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"video")
    shown = widget.player(recording, make_prediction(recording), video=video, frame=7)
    assert shown.video == b"video"
    assert shown.payload[:4] == b"AFK1"
    assert shown.frame == 7


def test_the_first_frame_is_in_the_worst_segment(recording, make_prediction):
    prediction = make_prediction(recording, noise=0)
    prediction["prediction"][18:22] += 0.5
    assert widget.player(recording, prediction).frame == pytest.approx(20, abs=5)


def test_a_missing_video_gets_a_note(recording, make_prediction):
    recording.attrs["video"] = "gone.mp4"
    shown = widget.player(recording, make_prediction(recording))
    assert "gone.mp4" in shown.notes["video"]


def test_a_large_video_needs_a_url(recording, make_prediction, tmp_path, monkeypatch):
    video = tmp_path / "clip.mp4"
    video.write_bytes(bytes(100))
    monkeypatch.setattr(widget, "LARGEST", 99)
    with pytest.raises(AffectkitError, match="give its URL"):
        widget.player(recording, make_prediction(recording), video=video)
    shown = widget.player(recording, make_prediction(recording), video="http://localhost/clip.mp4")
    assert shown.url == "http://localhost/clip.mp4"
    assert not shown.video


def test_without_annotation_the_first_frame_is_shown(recording, make_prediction):
    prediction = make_prediction(recording)
    recording["annotation"][:] = np.nan
    assert widget.player(recording, prediction).frame == 0
