import numpy as np

from affectkit.datasets.synthetic.movement import (
    MOVEMENT,
    RATERS,
    WARM_UP,
    simulate_emotion,
    simulate_movements,
    simulate_ratings,
)

FPS = 15
FRAMES = 3000
EMOTION = simulate_emotion(np.random.default_rng(0), FRAMES, FPS)
MOVED = dict(
    zip(MOVEMENT, simulate_movements(np.random.default_rng(1), EMOTION, FPS).T, strict=True)
)


def test_emotion_stays_in_range_and_visits_all_quadrants_alike():
    assert EMOTION.shape == (FRAMES + WARM_UP * FPS, 2)
    assert np.abs(EMOTION).max() <= 1
    quadrant = (EMOTION > 0) @ [1, 2]
    assert (np.bincount(quadrant) / len(EMOTION) > 0.2).all()


def test_raters_respond_to_a_step_late_and_causally():
    jump = np.repeat([[-0.5, -0.5], [0.5, 0.5]], 100, axis=0)
    ratings = simulate_ratings(np.random.default_rng(0), jump, 100)
    for rating, rater in zip(ratings[:, :, 0], RATERS.values(), strict=True):
        before = rating[100 : 100 + int(100 * rater.delay)]
        assert (before < -0.2).all()
        assert rating[-10:].mean() > 0.2


def test_the_mean_rating_has_the_average_delay():
    gold = simulate_ratings(np.random.default_rng(0), EMOTION, FPS).mean(axis=0)[:, 0]
    delays = np.arange(0, 20)
    fits = [np.corrcoef(EMOTION[: FRAMES - delay, 0], gold[delay:FRAMES])[0, 1] for delay in delays]
    assert 0.4 <= delays[np.argmax(fits)] / FPS <= 0.8


def test_movements_stay_in_range():
    for name in MOVEMENT[:6]:
        assert MOVED[name].min() >= 0
        assert MOVED[name].max() <= 1


def test_valence_raises_or_lowers_the_corners_of_the_mouth():
    valence = EMOTION[:, 0]
    assert np.corrcoef(valence, MOVED["AU12"])[0, 1] > 0.6
    assert np.corrcoef(valence, MOVED["AU15"])[0, 1] < -0.6
    assert np.corrcoef(valence, MOVED["AU4"])[0, 1] < -0.6


def test_arousal_raises_the_speed_of_the_head_but_not_its_amplitude():
    high, low = EMOTION[:, 1] > 0.5, EMOTION[:, 1] < -0.5
    speed = np.abs(np.gradient(MOVED["yaw"]))
    assert speed[high].mean() > 2 * speed[low].mean()
    assert np.isclose(MOVED["yaw"][high].std(), MOVED["yaw"][low].std(), rtol=0.25)


def test_blinks_close_the_lids_and_are_short():
    closed = MOVED["blink"] == 1
    assert 0.005 < closed.mean() < 0.06
    assert not (closed[1:] & closed[:-1]).any()
