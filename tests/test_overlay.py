from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affectkit.errors import AffectkitError
from affectkit.overlay import PREDICTION, draw_caption, draw_frame, draw_values, write_overlay
from affectkit.video import read_frames, read_times, write_video
from tests.conftest import fake_prediction, fake_recording

FRAMES = 12


@pytest.fixture
def with_video(tmp_path):
    """A recording with its video: uniform grey, brighter from frame to frame."""
    recording = fake_recording("with_video", FRAMES, width=160, height=120)
    images = [np.full((120, 160, 3), 40 + 10 * k, np.uint8) for k in range(FRAMES)]
    path = tmp_path / "with_video.mp4"
    write_video(path, zip(recording["time"].values, images, strict=True))
    times = read_times(path)
    return recording.assign_coords(time=("frame", times)).assign_attrs(video=str(path))


def test_every_frame_keeps_its_time_stamp_and_its_image(with_video, tmp_path):
    prediction = fake_prediction(with_video).assign_coords(time=with_video["time"])
    write_overlay(with_video, prediction, str(tmp_path / "out.mp4"))
    assert read_times(tmp_path / "out.mp4").tolist() == with_video["time"].values.tolist()
    images = np.concatenate([rgb for _, rgb in read_frames(tmp_path / "out.mp4")])
    foot = images[:, -10:, :40].mean((1, 2, 3))
    np.testing.assert_allclose(foot, 40 + 10 * np.arange(FRAMES), atol=3)


def test_the_dot_is_at_the_prediction():
    values = {
        "box": np.full((1, 4), np.nan),
        "annotation": np.full((1, 2), np.nan),
        "prediction": np.array([[0.5, -0.5]]),
    }
    drawn = draw_frame(np.zeros((480, 640, 3), np.uint8), values, 0)
    rows, columns = np.nonzero((drawn[:, 400:] == PREDICTION).all(2))
    side, left, top = 110, 640 - 110 - 8, 8
    assert abs(columns.mean() + 400 - (left + side * 0.75)) < 1.5
    assert abs(rows.mean() - (top + side * 0.75)) < 1.5


def test_a_frame_without_a_face_is_drawn(with_video):
    values = {name: np.full((1, size), np.nan) for name, size in
              {"box": 4, "annotation": 2, "prediction": 2}.items()}  # fmt: skip
    assert draw_frame(np.zeros((480, 640, 3), np.uint8), values, 0).any()


def test_a_changed_video_raises_an_error(with_video, tmp_path):
    prediction = fake_prediction(with_video)
    later = with_video.assign_coords(time=with_video["time"] + 0.5)
    with pytest.raises(AffectkitError, match=r"with_video\.mp4 has changed since it was prepared"):
        write_overlay(later, prediction.assign_coords(time=later["time"]), tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_a_shortened_video_raises_an_error(with_video, tmp_path):
    grey = np.full((120, 160, 3), 40, np.uint8)
    shorter = [(float(time), grey) for time in with_video["time"][:-2]]
    write_video(Path(with_video.attrs["video"]), shorter, overwrite=True)
    with pytest.raises(AffectkitError, match=r"with_video\.mp4 has changed since it was prepared"):
        write_overlay(with_video, fake_prediction(with_video), tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("size", [(854, 240), (160, 90), (48, 64), (480, 640)])
@pytest.mark.parametrize("words", [1, 12])
def test_a_caption_is_whole_on_a_picture_of_any_width(size, words):
    image = np.zeros((*size, 3), np.uint8)
    draw_caption(image, " ".join(["incomprehensibility"] * words), 0.5)
    changed = image.any(2)
    assert changed[-size[0] // 4 :].any()
    assert not changed[: size[0] // 4].any()
    assert not changed[:, -1].any()  # a text that is cut reaches the edge


def test_the_callers_image_is_not_changed():
    image = np.zeros((120, 160, 3), np.uint8)
    values = {"box": np.array([[10, 10, 50, 50.0]]), "annotation": np.zeros((1, 2)),
              "prediction": np.zeros((1, 2))}  # fmt: skip
    assert draw_frame(image, values, 0).any()
    assert not image.any()


def test_still_images_are_used_if_there_is_no_video(tmp_path):
    recording = fake_recording("stills", 3, width=160, height=120, video=str(tmp_path))
    for name, grey in (("a.png", 60), ("b c.png", 120)):
        Image.new("RGB", (160, 120), (grey,) * 3).save(tmp_path / name)
    recording = recording.assign(still=("frame", np.array(["a.png", "", "b c.png"])))
    prediction = fake_prediction(recording)
    write_overlay(recording, prediction, tmp_path / "out.mp4")
    np.testing.assert_allclose(read_times(tmp_path / "out.mp4"), recording["time"], atol=1e-6)
    images = np.concatenate([rgb for _, rgb in read_frames(tmp_path / "out.mp4")])
    np.testing.assert_allclose(images[:, -10:, :40].mean((1, 2, 3)), [60, 0, 120], atol=3)


def test_a_line_of_text_is_inside_a_dark_panel():
    image = np.full((200, 300, 3), 255, np.uint8)
    draw_values(image, np.full(2, np.nan), scale=1.0)
    changed = (image != 255).any(2)
    rows, columns = changed.any(1), changed.any(0)
    assert changed[
        np.ix_(rows, columns)
    ].all()  # only one rectangle has changed, so no letter extends beyond it
    assert np.isclose(image, PREDICTION, atol=10).all(2).any()
