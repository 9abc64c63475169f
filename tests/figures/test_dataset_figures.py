import numpy as np
import pytest

from affectkit import figures
from affectkit.describing import affect_cells, coverage, subject_means
from affectkit.figures.style import DARK, LIGHT


def test_density_shows_every_label_on_a_logarithmic_scale(three_recordings):
    cells = affect_cells(three_recordings)
    heat = figures.label_density(cells).data[0]
    counts = np.asarray(heat.customdata)
    assert counts.sum() == 120
    shown = np.asarray(heat.z, float)
    np.testing.assert_allclose(10 ** shown[counts > 0], counts[counts > 0])
    assert np.isnan(shown[counts == 0]).all()


def test_coverage_bars_add_to_each_recording(three_recordings):
    table = coverage(three_recordings)
    figure = figures.coverage_bars(table)
    lengths = np.zeros(3)
    for bar in figure.data:
        np.add.at(lengths, np.asarray(bar.y, int), np.asarray(bar.x))
    np.testing.assert_allclose(lengths, [1.6, 2.4, 1.0])
    assert figure.data[1].name == "annotated, no face 3.2%"
    assert list(figure.layout.yaxis.ticktext) == ["first", "second", "third"]


def test_subjects_keep_one_order_in_both_panels(three_recordings):
    means = subject_means(three_recordings).sort_values("valence_mean")
    figure = figures.subject_dots(means[::-1])
    for trace in figure.data:
        np.testing.assert_allclose(trace.x, means[f"{trace.name}_mean"])
        assert list(trace.text) == means["subject"].tolist()


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (figures.label_density, affect_cells),
        (figures.coverage_bars, coverage),
        (figures.subject_dots, subject_means),
    ],
)
def test_either_paper(draw, table, three_recordings):
    for dark, colours in ((False, LIGHT), (True, DARK)):
        figure = draw(table(three_recordings), dark=dark)
        assert figure.layout.paper_bgcolor == colours.paper


def test_hostile_names_are_no_html(three_recordings):
    hostile = [each.assign_attrs(recording="<b>x", subject="<i>") for each in three_recordings]
    assert figures.coverage_bars(coverage(hostile)).layout.yaxis.ticktext[0] == "&lt;b>x"
    assert figures.subject_dots(subject_means(hostile)).data[0].text[0] == "&lt;i>"
