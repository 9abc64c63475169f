"""Film strip and region bars."""

import numpy as np
import pytest

from affectkit import paper
from affectkit.errors import AffectkitError
from affectkit.paper.attribution import saliency_colours, saliency_limit
from affectkit.signals import smooth_saliency
from tests.paper.reading import lines


def test_film_strip_shows_frame_and_time_on_each_tile(strip):
    titles = [axes.get_title() for axes in strip.axes if axes.get_title()]
    assert titles == ["frame 3\n0.13 s", "frame 20\n0.81 s", "frame 39\n1.57 s"]


def test_film_strip_shows_the_faces_and_marks_them_in_the_trace(strip, recording, prediction):
    faces = [axes.images[0].get_array() for axes in strip.axes if axes.get_title()]
    np.testing.assert_array_equal(faces, recording["face"].sel(frame=[3, 20, 39]))
    marks = lines(strip.axes[-1])["shown frames"]
    np.testing.assert_array_equal(marks[:, 0], recording["time"].sel(frame=[3, 20, 39]))
    expected = prediction["prediction"].sel(frame=[3, 20, 39], affect="arousal")
    np.testing.assert_array_equal(marks[:, 1], expected)


def test_film_strip_has_one_symmetric_scale(strip, attribution):
    bars = [axes for axes in strip.axes if axes.get_label() == "scale"]
    assert len(bars) == 1
    maps = attribution["attribution"].sel(affect="arousal", frame=[3, 20, 39])
    limit = saliency_limit(smooth_saliency(maps.values))
    assert bars[0].get_yticks() == pytest.approx([-limit, 0, limit])


def test_film_strip_has_the_requested_width(recording, prediction, attribution):
    figure = paper.film_strip(recording, prediction, attribution, [1, 2], width_inches=3.5)
    assert figure.get_size_inches()[0] == 3.5


@pytest.mark.parametrize("frames", [[], [3, 99]])
def test_film_strip_of_missing_frames_raises_an_error(recording, prediction, attribution, frames):
    with pytest.raises(AffectkitError, match="'one' has 40 frames from 0 to 39, but"):
        paper.film_strip(recording, prediction, attribution, frames)


def test_saliency_colours_are_transparent_at_zero_and_symmetric():
    colours = saliency_colours(np.array([[-2.0, -0.5, 0.0, 0.5, 2.0, np.nan]]), limit=1.0)[0]
    assert colours[2, 3] == colours[5, 3] == 0
    assert colours[0, 3] == colours[4, 3] == pytest.approx(0.9)
    assert colours[1, 3] == colours[3, 3]
    assert colours[0, 2] > colours[0, 0]  # blue lowers
    assert colours[4, 0] > colours[4, 2]  # red raises


def test_saliency_limit_ignores_a_single_pixel_and_is_never_zero():
    maps = np.ones((10, 32, 32))
    maps[0, 0, 0] = 1000
    assert saliency_limit(maps) == 1
    assert saliency_limit(np.zeros((1, 4, 4))) == 1


def test_region_bars_are_the_mean_shares(attribution):
    axes = paper.region_bars(attribution).axes[0]
    lowers, raises = ([bar.get_width() for bar in group] for group in axes.containers)
    share = attribution["region_share"].sel(affect="valence").mean("frame")
    np.testing.assert_allclose(lowers, -share.sel(direction="lowers"), rtol=1e-6)
    np.testing.assert_allclose(raises, share.sel(direction="raises"), rtol=1e-6)
    assert axes.get_yticklabels()[0].get_text() == "brows"
