import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.training.balance import count_quadrants, draw_balanced, weigh
from affectkit.training.recipe import WindowSection
from affectkit.training.sampling import plan_epoch
from affectkit.training.windows import Source, Window

PAPER = (0.43, 0.24, 0.19, 0.14)
CENTRES = np.array([(0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])


def source(annotation):
    """A source of which only the annotation matters."""
    annotation = np.asarray(annotation, np.float32)
    count = len(annotation)
    time, seen = np.arange(count) / 25, np.ones(count, bool)
    landmark = np.zeros((count, 68, 2), np.float32)
    return Source("s", "", (0, 0), time, seen, annotation, landmark, (1, 1, 3), lambda *where: None)


def skewed(frames=20000, shares=(0.7, 0.12, 0.15, 0.03), stay=150):
    """An annotation that stays in a quadrant for a while, mostly in the first, with noise."""
    random = np.random.default_rng(0)
    quadrant = np.repeat(random.choice(4, frames // stay, p=shares), stay)
    return CENTRES[quadrant] + random.normal(0, 0.2, (len(quadrant), 2))


def shares_of(windows, sources):
    frames = count_quadrants(windows, sources).sum(0)
    return frames / frames.sum()


def test_frames_are_counted_by_quadrant_where_both_values_are_known():
    affect = [(0.1, 0.2), (0, 0), (-0.1, 0.3), (0.1, -0.3), (-0.1, -0.1), (np.nan, 0.1), (0.1, 0.1)]
    assert count_quadrants([Window(0, 0, 6)], [source(affect)]).tolist() == [[2, 1, 1, 1]]


def test_weights_known_by_hand():
    """One window in each of two quadrants, and one of twice the length in the first."""
    frames = np.array([[10.0, 0, 0, 0], [0, 0, 0, 10], [20, 0, 0, 0], [0, 0, 0, 0]])
    first, last, long, nothing = weigh(frames, (0.5, 0, 0, 0.5))
    assert (10 * first + 20 * long) / (10 * last) == pytest.approx(1)
    assert first == pytest.approx(long)
    assert nothing == 0


@pytest.mark.parametrize("shares", [PAPER, (0.25,) * 4, (0.5, 0, 0.25, 0.25)])
def test_the_frames_of_an_epoch_have_the_shares_that_were_asked_for(shares):
    sources = [source(skewed()), source(skewed()[::-1])]
    settings = WindowSection(length=80, batch=1, quadrants=shares)
    plain = plan_epoch(sources, WindowSection(length=80, batch=1), (0,))
    planned = plan_epoch(sources, settings, (0,))
    assert len(planned) == len(plain)
    assert shares_of([row[0] for row in plain], sources)[0] > 0.6
    assert np.abs(shares_of([row[0] for row in planned], sources) - shares).max() < 0.02


def test_each_window_comes_as_often_as_its_weight_says():
    sources = [source(skewed())]
    windows = [Window(0, start, start + 50) for start in range(0, 20000 - 50, 50)]
    expected = weigh(count_quadrants(windows, sources), PAPER)
    expected *= len(windows) / expected.sum()
    drawn = draw_balanced(windows, sources, PAPER, np.random.default_rng(1))
    counts = np.array([drawn.count(window) for window in windows])
    assert np.abs(counts - expected).max() < 1
    assert counts.max() > 1


def test_a_share_for_an_empty_quadrant_is_refused():
    with pytest.raises(AffectkitError, match=r"wants frames in -V -A, but no annotated frame"):
        draw_balanced([Window(0, 0, 3)], [source(CENTRES[:3])], PAPER, np.random.default_rng(0))
