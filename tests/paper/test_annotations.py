"""The figures of a dataset show the numbers of its statistics."""

import numpy as np

from affectkit import paper
from affectkit.recording import AFFECT
from affectkit.statistics import subject_means
from tests.conftest import fake_recording
from tests.paper.reading import assert_no_overlap, texts


def test_density_shows_each_cell_and_the_number_of_labels(three_recordings):
    figure = paper.annotation_density(three_recordings)
    shown = figure.axes[0].images[0].get_array()
    assert shown.sum() == 120
    valence, arousal = (three_recordings[0]["annotation"].sel(affect=a).values for a in AFFECT)
    row, column = (int((v[0] + 1) / 2 * len(shown)) for v in (arousal, valence))
    assert shown[row, column] >= 1
    assert "n = 120 frames" in texts(figure)
    assert "frames in a cell" in texts(figure)
    assert_no_overlap(figure)


def test_coverage_shows_the_share_of_each_status(three_recordings):
    figure = paper.coverage_bars(three_recordings)
    shown = texts(figure)
    assert "n = 125 frames of 3 recordings" in shown
    assert "annotated, face 92.8%" in shown
    assert "annotated, no face 3.2%" in shown
    assert "face, not annotated 4.0%" in shown
    assert {"train", "validation", "test"} <= set(shown.split("\n"))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["first", "second", "third"]
    seconds = np.zeros(3)
    for bar in figure.axes[0].patches:
        seconds[round(bar.get_y() + bar.get_height() / 2)] += bar.get_width()
    np.testing.assert_allclose(seconds, [1.6, 2.4, 1.0])
    assert_no_overlap(figure)


def test_coverage_of_150_recordings_fits_on_a_page():
    recordings = [
        fake_recording(f"r{number:03d}", 5, split="train").drop_vars("face")
        for number in range(150)
    ]
    figure = paper.coverage_bars(recordings)
    assert figure.get_size_inches()[1] < 9.5
    assert "150 recordings" in texts(figure)


def test_both_panels_have_the_same_order_of_subjects(three_recordings):
    means = subject_means(three_recordings).sort_values("valence_mean")
    figure = paper.subject_dots(three_recordings[::-1])
    for axes, affect in zip(figure.axes, AFFECT, strict=True):
        dots = axes.lines[-1].get_xdata()
        np.testing.assert_allclose(dots, means[f"{affect}_mean"])
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == means["subject"].tolist()
    assert "3 subjects, n = 120 labels" in texts(figure)
    assert_no_overlap(figure)
