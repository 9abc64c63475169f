from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.training.recipe import WindowSection, read_recipe
from affectkit.training.sampling import check_stills, count_batches, find_pieces, plan_epoch
from affectkit.training.windows import Source, Window

COUNTS = st.lists(st.integers(1, 300), min_size=1, max_size=6)
LENGTHS, SEEDS = st.integers(1, 100), st.integers(0, 50)


def source(time, seen=None, annotation=None):
    """A source without pictures."""
    time = np.asarray(time, float)
    return Source(
        "some",
        "",
        (0, 0),
        time,
        np.ones(len(time), bool) if seen is None else np.asarray(seen, bool),
        np.zeros((len(time), 2), np.float32) if annotation is None else annotation,
        np.zeros((len(time), 68, 2), np.float32),
        (1, 1, 3),
        lambda start, stop, out: None,
    )


def sources_of(counts):
    return [source(np.arange(count) / 25) for count in counts]


def plan(counts, seed=0, **settings):
    return plan_epoch(sources_of(counts), WindowSection(**settings), (seed,))


def flat(batches):
    return [window for batch in batches for window in batch]


def as_drawn_at_first(counts, length, seed, batch):
    """The plain plan, as the first release drew it."""
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
def test_a_seed_of_an_earlier_release_draws_the_same_windows(counts, length, seed, batch):
    batches = plan(counts, seed, length=length, batch=batch)
    drawn = [[(window.recording, window.start) for window in row] for row in batches]
    assert drawn == as_drawn_at_first(counts, length, (seed,), batch)


@given(counts=COUNTS, length=LENGTHS, stride=LENGTHS, seed=SEEDS)
def test_windows_lie_inside_their_recording_a_stride_apart(counts, length, stride, seed):
    windows = flat(plan(counts, seed, length=length, stride=stride, batch=1))
    for recording, start, stop, _ in windows:
        assert 0 <= start < stop <= counts[recording]
        assert stop - start == length or stop == counts[recording]
    for recording in range(len(counts)):
        starts = sorted(w.start for w in windows if w.recording == recording)
        assert (np.diff(starts) % stride == 0).all()


@given(counts=COUNTS, length=LENGTHS, stride=LENGTHS, batch=st.integers(1, 5))
def test_every_epoch_has_as_many_batches(counts, length, stride, batch):
    settings = WindowSection(length=length, stride=stride, batch=batch)
    sources = sources_of(counts)
    planned = [plan_epoch(sources, settings, (0, epoch)) for epoch in range(3)]
    assert {len(batches) for batches in planned} == {count_batches(sources, settings)}
    assert len({len(row) for batches in planned for row in batches}) <= 1 or len(planned[0]) == 1


def test_a_small_stride_shows_a_frame_several_times():
    windows = flat(plan([100], length=40, stride=10, batch=1))
    assert len(windows) == 7
    assert len({w.start % 10 for w in windows}) == 1


def test_the_same_seed_gives_the_same_windows():
    assert plan([200, 90], 1, length=30) == plan([200, 90], 1, length=30)
    assert plan([200, 90], 1, length=30) != plan([200, 90], 2, length=30)


@given(counts=COUNTS, length=LENGTHS, seed=SEEDS, batch=st.integers(1, 5))
def test_carried_windows_go_on_where_the_one_before_ended(counts, length, seed, batch):
    batches = plan(counts, seed, length=length, batch=batch, order="carried")
    assert not any(window.carried for window in batches[0])
    for before, row in pairwise(batches):
        for earlier, window in zip(before, row, strict=True):
            follows = earlier.recording == window.recording and earlier.stop == window.start
            assert window.carried == follows
    assert len(set(flat(batches))) == len(flat(batches))


def test_carried_windows_follow_a_long_recording_to_its_end():
    batches = plan([81], length=10, batch=1, order="carried")
    starts = [row[0].start for row in batches]
    assert starts == list(range(starts[0], starts[0] + 80, 10))
    assert [row[0].carried for row in batches] == [False] + [True] * 7


def test_a_gap_is_the_time_from_one_face_to_the_next():
    time = np.arange(20) / 10
    time[12:] += 3  # a cut: 3.1 s pass
    seen = np.ones(20, bool)
    seen[[0, 3, 4, 14, 15, 16, 17]] = False  # 0.3 s and 0.5 s without a face
    pieces = find_pieces([source(time, seen)], max_gap=0.4)
    assert [(start, stop) for _, start, stop in pieces] == [(1, 12), (12, 14), (18, 20)]
    assert find_pieces([source(time, seen)], max_gap=4) == [(0, 1, 20)]
    assert find_pieces([source(time, seen)], max_gap=float("inf")) == [(0, 0, 20)]


@given(seed=SEEDS, length=LENGTHS)
def test_no_window_crosses_a_gap(seed, length):
    random = np.random.default_rng(seed)
    time = np.cumsum(random.choice([0.04, 0.04, 0.04, 2.0], 200))
    sources = [source(time), source(time + 0.01)]
    settings = WindowSection(length=length, batch=1, max_gap=1.0)
    for window in flat(plan_epoch(sources, settings, (seed,))):
        assert (np.diff(time[window.start : window.stop]) < 1).all()


def test_pictures_without_a_face_at_all_are_refused():
    with pytest.raises(AffectkitError, match="no frame to train on has a face"):
        find_pieces([source(np.arange(5), np.zeros(5))], max_gap=1.0)


def test_unrelated_pictures_become_windows_of_one_frame():
    settings = WindowSection(length=80, batch=3, max_gap=1.0)
    batches = plan_epoch([source(np.arange(7) * 100.0)], settings, (0,))
    assert [len(row) for row in batches] == [3, 3]
    assert all(window.stop == window.start + 1 for window in flat(batches))
    assert isinstance(batches[0][0], Window)


def test_random_starts_fill_a_recording():
    windows = flat(plan([500], length=40, starts="random", batch=1))
    assert len(windows) == 12
    assert len({w.start % 40 for w in windows}) > 6
    assert all(w.stop - w.start == 40 and w.stop <= 500 for w in windows)


def test_a_net_with_a_memory_is_not_shown_unrelated_pictures_as_film():
    stills, film = source(np.arange(7) * 100.0), source(np.arange(7) / 25)
    check_stills([film], read_recipe("quick"))
    check_stills([film, stills], read_recipe("quick", ["model.temporal=none"]))
    check_stills([film, stills], read_recipe("quick", ["windows.max_gap=1"]))
    with pytest.raises(AffectkitError, match="a frame every 100 s: to the gru they would look"):
        check_stills([film, stills], read_recipe("quick"))


@pytest.mark.parametrize(
    "settings", ["stride=20", "starts=random", "quadrants=[0.4, 0.2, 0.2, 0.2]"]
)
def test_what_carried_windows_cannot_be_is_said(settings):
    with pytest.raises(AffectkitError, match="carried windows follow one another"):
        read_recipe("quick", ["windows.order=carried", f"windows.{settings}"])


def test_shares_that_are_not_whole_are_refused():
    with pytest.raises(AffectkitError, match="four shares that sum to 1"):
        read_recipe("quick", ["windows.quadrants=[0.5, 0.4]"])
