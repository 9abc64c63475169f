import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affectkit.training.windows import (
    MIRROR,
    Batch,
    augment,
    landmark_in_crop,
    plan_epoch,
    read_batches,
    read_window,
    resize,
)

COUNTS = st.lists(st.integers(1, 300), min_size=1, max_size=6)


@given(counts=COUNTS, length=st.integers(1, 100), seed=st.integers(0, 50))
def test_windows_start_inside_their_recording_and_do_not_overlap(counts, length, seed):
    windows = plan_epoch(counts, length, (seed,))
    for recording, count in enumerate(counts):
        starts = sorted(w.start for w in windows if w.recording == recording)
        assert starts
        assert 0 <= starts[0] < max(1, length)
        assert starts[-1] < count
        assert (np.diff(starts) == length).all()


def test_the_same_seed_gives_the_same_windows():
    assert plan_epoch([200, 90], 30, (0, 1)) == plan_epoch([200, 90], 30, (0, 1))
    assert plan_epoch([200, 90], 30, (0, 1)) != plan_epoch([200, 90], 30, (0, 2))


def test_a_short_window_is_filled_with_frames_that_do_not_count(recording):
    window = read_window(recording, 35, 8)
    assert window.face.shape == (8, 16, 16, 3)
    assert torch.equal(window.face[5], window.face[4])
    assert window.annotation.isfinite().all(1).tolist() == [True] * 5 + [False] * 3


def test_frames_without_a_crop_do_not_count(three_recordings):
    window = read_window(three_recordings[2], 0, 12)
    assert window.annotation.isnan().all(1).nonzero().flatten().tolist() == [5, 6, 7, 8]
    assert not window.landmark[5].any()


def test_landmarks_span_the_crop(recording):
    left_top = recording["crop_box"].values[0, :2]
    recording["landmark"][0, 0] = left_top
    recording["landmark"][0, 1] = left_top + 16
    recording["landmark"][0, 2] = left_top + 8
    assert landmark_in_crop(recording)[0, :3].tolist() == [[-1, -1], [1, 1], [0, 0]]


def test_batches_hold_the_planned_windows_in_order(three_recordings):
    windows = plan_epoch([40, 60, 25], 10, (3,))[:6]
    batches = list(read_batches(three_recordings, windows, 10, 2))
    faces = torch.cat([batch.face for batch in batches])
    for face, window in zip(faces, windows, strict=True):
        expected = read_window(three_recordings[window.recording], window.start, 10).face
        assert torch.equal(face, expected)


def test_mirroring_twice_is_nothing():
    assert np.array_equal(np.array(MIRROR)[MIRROR], np.arange(68))
    pairs = {0: 16, 17: 26, 31: 35, 36: 45, 41: 46, 48: 54, 60: 64, 27: 27, 8: 8}
    assert {left: MIRROR[left] for left in pairs} == pairs


def batch_of(face):
    """One window; the landmark of point k lies at the white dot, the others in the middle."""
    return Batch(face[None], torch.zeros(1, len(face), 68, 2), torch.zeros(1, len(face), 2))


def test_augmentation_is_alike_in_all_frames_of_a_window():
    face = torch.randint(0, 256, (1, 48, 48, 3), dtype=torch.uint8).repeat(6, 1, 1, 1)
    torch.manual_seed(0)
    drawn = augment(batch_of(face), 32).face[0]
    assert drawn.shape == (6, 32, 32, 3)
    assert (drawn == drawn[0]).all()


@pytest.mark.parametrize("seed", range(6))
def test_landmarks_go_with_the_picture(seed):
    face = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    face[0, 22:26, 40:44] = 255
    batch = batch_of(face)
    batch.landmark[0, 0, 36] = torch.tensor([42 / 32 - 1, 24 / 32 - 1])
    torch.manual_seed(seed)
    drawn = augment(batch, 64)
    light = drawn.face[0, 0].float().sum(2)
    light = light * (light > light.max() / 2)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    centre = torch.stack([(columns * light).sum(), (rows * light).sum()]) / light.sum() + 0.5
    points = drawn.landmark[0, 0][[36, MIRROR[36]]]
    point = points[points.abs().sum(1).argmax()]
    assert (centre - (point + 1) * 32).abs().max() < 1.5


def test_resize_keeps_a_uniform_face():
    face = torch.full((2, 5, 48, 48, 3), 77, dtype=torch.uint8)
    assert resize(face, 32).shape == (2, 5, 32, 32, 3)
    assert (resize(face, 32) == 77).all()
