from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.training.recipe import read_recipe
from affectkit.training.recipe_sections import WindowSection
from affectkit.training.sampling import (
    balance_weights,
    check_frames_are_video,
    count_batches,
    count_quadrants,
    find_segments,
    plan_epoch,
    sample_balanced,
)
from affectkit.training.windows import Window, WindowSource

COUNTS = st.lists(st.integers(1, 300), min_size=1, max_size=6)
LENGTHS, SEEDS = st.integers(1, 100), st.integers(0, 50)
PAPER_SHARES = (0.43, 0.24, 0.19, 0.14)
CENTRES = np.array([(0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])  # of the quadrants


def make_source(time, has_face=None, annotation=None):
    """A source without faces to read."""
    time = np.asarray(time, float)
    count = len(time)
    return WindowSource(
        "some",
        "",
        (0, 0),
        time,
        np.ones(count, bool) if has_face is None else np.asarray(has_face, bool),
        np.zeros((count, 2), np.float32) if annotation is None else annotation,
        np.zeros((count, 68, 2), np.float32),
        (1, 1, 3),
        lambda start, stop, out: None,
    )


def sources_of(counts):
    return [make_source(np.arange(count) / 25) for count in counts]


def plan(counts, seed=0, **settings):
    return plan_epoch(sources_of(counts), WindowSection(**settings), (seed,))


def flat(batches):
    return [window for batch in batches for window in batch]


def plan_of_the_first_release(counts, length, seed, batch):
    random = np.random.default_rng(seed)
    windows = [
        (recording, start)
        for recording, count in enumerate(counts)
        for start in range(int(random.integers(max(1, min(length, count - length)))), count, length)
    ]
    windows = [windows[i] for i in random.permutation(len(windows))]
    steps = max(1, sum(max(1, count // length) for count in counts) // batch)
    return [windows[i * batch : (i + 1) * batch] for i in range(steps)]


@given(counts=COUNTS, length=LENGTHS, seed=SEEDS, batch=st.integers(1, 5))
def test_a_seed_gives_the_same_windows_as_in_the_first_release(counts, length, seed, batch):
    batches = plan(counts, seed, length=length, batch=batch)
    planned = [[(window.recording, window.start) for window in row] for row in batches]
    assert planned == plan_of_the_first_release(counts, length, (seed,), batch)


@given(counts=COUNTS, length=LENGTHS, stride=LENGTHS, seed=SEEDS)
def test_windows_are_inside_their_recording_and_one_stride_apart(counts, length, stride, seed):
    windows = flat(plan(counts, seed, length=length, stride=stride, batch=1))
    for recording, start, stop, _ in windows:
        assert 0 <= start < stop <= counts[recording]
        assert stop - start == length or stop == counts[recording]
    for recording in range(len(counts)):
        starts = sorted(w.start for w in windows if w.recording == recording)
        assert (np.diff(starts) % stride == 0).all()


@given(counts=COUNTS, length=LENGTHS, stride=LENGTHS, batch=st.integers(1, 5))
def test_every_epoch_has_the_same_number_of_batches(counts, length, stride, batch):
    settings = WindowSection(length=length, stride=stride, batch=batch)
    sources = sources_of(counts)
    planned = [plan_epoch(sources, settings, (0, epoch)) for epoch in range(3)]
    assert {len(batches) for batches in planned} == {count_batches(sources, settings)}
    assert len({len(row) for batches in planned for row in batches}) <= 1 or len(planned[0]) == 1


def test_with_a_small_stride_a_frame_is_in_several_windows():
    windows = flat(plan([100], length=40, stride=10, batch=1))
    assert len(windows) == 7
    assert len({w.start % 10 for w in windows}) == 1


def test_the_same_seed_gives_the_same_windows():
    assert plan([200, 90], 1, length=30) == plan([200, 90], 1, length=30)
    assert plan([200, 90], 1, length=30) != plan([200, 90], 2, length=30)


@given(counts=COUNTS, length=LENGTHS, seed=SEEDS, batch=st.integers(1, 5))
def test_a_consecutive_window_starts_where_the_previous_one_ended(counts, length, seed, batch):
    batches = plan(counts, seed, length=length, batch=batch, order="consecutive")
    assert not any(window.continues for window in batches[0])
    for previous, row in pairwise(batches):
        for earlier, window in zip(previous, row, strict=True):
            follows = earlier.recording == window.recording and earlier.stop == window.start
            assert window.continues == follows
    assert len(set(flat(batches))) == len(flat(batches))


def test_consecutive_windows_reach_the_end_of_a_long_recording():
    batches = plan([81], length=10, batch=1, order="consecutive")
    starts = [row[0].start for row in batches]
    assert starts == list(range(starts[0], starts[0] + 80, 10))
    assert [row[0].continues for row in batches] == [False] + [True] * 7


def test_a_gap_is_the_time_from_one_face_to_the_next():
    time = np.arange(20) / 10
    time[12:] += 3  # a cut: 3.1 s from frame 11 to frame 12
    has_face = np.ones(20, bool)
    has_face[[0, 3, 4, 14, 15, 16, 17]] = False  # 0.3 s and 0.5 s without a face
    segments = find_segments([make_source(time, has_face)], max_gap=0.4)
    assert [(start, stop) for _, start, stop in segments] == [(1, 12), (12, 14), (18, 20)]
    assert find_segments([make_source(time, has_face)], max_gap=4) == [(0, 1, 20)]
    assert find_segments([make_source(time, has_face)], max_gap=float("inf")) == [(0, 0, 20)]


@given(seed=SEEDS, length=LENGTHS)
def test_no_window_crosses_a_gap(seed, length):
    random = np.random.default_rng(seed)
    time = np.cumsum(random.choice([0.04, 0.04, 0.04, 2.0], 200))
    sources = [make_source(time), make_source(time + 0.01)]
    settings = WindowSection(length=length, batch=1, max_gap=1.0)
    for window in flat(plan_epoch(sources, settings, (seed,))):
        assert (np.diff(time[window.start : window.stop]) < 1).all()


def test_recordings_without_any_face_are_an_error():
    with pytest.raises(AffectkitError, match="no frame of the training recordings has a face"):
        find_segments([make_source(np.arange(5), np.zeros(5))], max_gap=1.0)


def test_unrelated_pictures_become_windows_of_one_frame():
    settings = WindowSection(length=80, batch=3, max_gap=1.0)
    batches = plan_epoch([make_source(np.arange(7) * 100.0)], settings, (0,))
    assert [len(row) for row in batches] == [3, 3]
    assert all(window.stop == window.start + 1 for window in flat(batches))
    assert isinstance(batches[0][0], Window)


def test_random_starts_give_whole_windows_at_any_frame():
    windows = flat(plan([500], length=40, starts="random", batch=1))
    assert len(windows) == 12
    assert len({w.start % 40 for w in windows}) > 6
    assert all(w.stop - w.start == 40 and w.stop <= 500 for w in windows)


def test_a_temporal_module_is_not_trained_on_unrelated_pictures():
    pictures, video = make_source(np.arange(7) * 100.0), make_source(np.arange(7) / 25)
    check_frames_are_video([video], read_recipe("quick"))
    check_frames_are_video([video, pictures], read_recipe("quick", model={"temporal": "none"}))
    check_frames_are_video([video, pictures], read_recipe("quick", windows={"max_gap": 1}))
    with pytest.raises(AffectkitError, match="one frame every 100 s: these are unrelated pictures"):
        check_frames_are_video([video, pictures], read_recipe("quick"))


@pytest.mark.parametrize(
    "settings", [{"stride": 20}, {"starts": "random"}, {"quadrant_shares": [0.4, 0.2, 0.2, 0.2]}]
)
def test_consecutive_order_excludes_other_choices_of_windows(settings):
    with pytest.raises(AffectkitError, match="cannot be combined with stride"):
        read_recipe("quick", windows={"order": "consecutive", **settings})


def test_shares_that_do_not_sum_to_1_are_an_error():
    with pytest.raises(AffectkitError, match="four numbers that sum to 1"):
        read_recipe("quick", windows={"quadrant_shares": [0.5, 0.4]})


def annotated(annotation):
    """A source with this annotation."""
    annotation = np.asarray(annotation, np.float32)
    return make_source(np.arange(len(annotation)) / 25, annotation=annotation)


def unbalanced(frames=20000, shares=(0.7, 0.12, 0.15, 0.03), stay=150):
    """A noisy annotation that stays in each quadrant for 150 frames, mostly in the first."""
    random = np.random.default_rng(0)
    quadrant = np.repeat(random.choice(4, frames // stay, p=shares), stay)
    return CENTRES[quadrant] + random.normal(0, 0.2, (len(quadrant), 2))


def shares_of(windows, sources):
    frames = count_quadrants(windows, sources).sum(0)
    return frames / frames.sum()


def test_only_frames_with_both_annotations_count_in_quadrants():
    affect = [(0.1, 0.2), (0, 0), (-0.1, 0.3), (0.1, -0.3), (-0.1, -0.1), (np.nan, 0.1), (0.1, 0.1)]
    assert count_quadrants([Window(0, 0, 6)], [annotated(affect)]).tolist() == [[2, 1, 1, 1]]


def test_balance_weights_known_by_hand():
    """One window in each of two quadrants, one of twice the length in the first, one empty."""
    frames = np.array([[10.0, 0, 0, 0], [0, 0, 0, 10], [20, 0, 0, 0], [0, 0, 0, 0]])
    first, last, long, empty = balance_weights(frames, (0.5, 0, 0, 0.5))
    assert (10 * first + 20 * long) / (10 * last) == pytest.approx(1)
    assert first == pytest.approx(long)
    assert empty == 0


@pytest.mark.parametrize("shares", [PAPER_SHARES, (0.25,) * 4, (0.5, 0, 0.25, 0.25)])
def test_the_frames_of_an_epoch_have_the_requested_shares(shares):
    sources = [annotated(unbalanced()), annotated(unbalanced()[::-1])]
    settings = WindowSection(length=80, batch=1, quadrant_shares=shares)
    plain = plan_epoch(sources, WindowSection(length=80, batch=1), (0,))
    planned = plan_epoch(sources, settings, (0,))
    assert len(planned) == len(plain)
    assert shares_of([row[0] for row in plain], sources)[0] > 0.6
    assert np.abs(shares_of([row[0] for row in planned], sources) - shares).max() < 0.02


def test_each_window_occurs_as_often_as_its_weight_requires():
    sources = [annotated(unbalanced())]
    windows = [Window(0, start, start + 50) for start in range(0, 20000 - 50, 50)]
    expected = balance_weights(count_quadrants(windows, sources), PAPER_SHARES)
    expected *= len(windows) / expected.sum()
    sampled = sample_balanced(windows, sources, PAPER_SHARES, np.random.default_rng(1))
    counts = np.array([sampled.count(window) for window in windows])
    assert np.abs(counts - expected).max() < 1
    assert counts.max() > 1


def test_a_share_for_an_empty_quadrant_is_an_error():
    source = annotated(CENTRES[:3])
    with pytest.raises(
        AffectkitError, match=r"asks for frames in -V -A, but the training recordings have no"
    ):
        sample_balanced([Window(0, 0, 3)], [source], PAPER_SHARES, np.random.default_rng(0))
