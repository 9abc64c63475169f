"""What the figures of a dataset draw is what their tables say."""

import numpy as np
import pandas as pd
import pytest

from affectkit import paper
from affectkit.datasets import synthetic
from affectkit.describing import affect_cells, coverage, subject_means
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT
from tests.conftest import fake_recording


def texts(figure) -> str:
    shown = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        shown += [axes.get_title(loc=loc) for loc in ("left", "center", "right")]
        shown += [axes.get_xlabel(), axes.get_ylabel()]
    for legend in figure.legends:
        shown += [legend.get_title().get_text(), *(t.get_text() for t in legend.get_texts())]
    return "\n".join(shown)


def shown_texts(axes):
    """Titles, labels and texts, and the tick labels inside the limits."""
    yield from (axes.title, axes._left_title, axes._right_title, *axes.texts)
    for axis in (axes.xaxis, axes.yaxis):
        if axes.axison:
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            yield axis.label
            yield from (t.label1 for t in ticks if low <= t.get_loc() <= high)


def assert_apart(figure):
    """No text runs into another one, or out of the picture."""
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in shown_texts(axes)]
    texts += [text for legend in figure.legends for text in (legend.get_title(), *legend.texts)]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_text()]
    width, height = figure.canvas.get_width_height()
    for number, (text, box) in enumerate(boxes):
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0, text
        crossed = [other for other, place in boxes[:number] if box.overlaps(place)]
        assert not crossed, (text, crossed)


def test_density_draws_each_cell_and_says_how_many(three_recordings):
    cells = affect_cells(three_recordings)
    figure = paper.density(cells)
    drawn = figure.axes[0].images[0].get_array()
    assert drawn.sum() == cells["labels"].sum() == 120
    valence, arousal = (three_recordings[0]["annotation"].sel(affect=a).values for a in AFFECT)
    row, column = (int((v[0] + 1) / 2 * len(drawn)) for v in (arousal, valence))
    assert drawn[row, column] >= 1
    assert "n = 120 frames" in texts(figure)
    assert "frames in a cell" in texts(figure)
    assert_apart(figure)


def test_coverage_says_the_share_of_each_kind(three_recordings):
    figure = paper.coverage_bars(coverage(three_recordings))
    shown = texts(figure)
    assert "n = 125 frames of 3 recordings" in shown
    assert "annotated, face 92.8%" in shown
    assert "annotated, no face 3.2%" in shown
    assert "face, not annotated 4.0%" in shown
    assert {"train", "validation", "test"} <= set(shown.split("\n"))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["first", "second", "third"]
    assert_apart(figure)


def test_hundreds_of_recordings_fit_on_a_page():
    table = pd.concat(
        coverage([fake_recording(f"r{number:03d}", 5, split="train").drop_vars("face")])
        for number in range(150)
    )
    figure = paper.coverage_bars(table)
    assert figure.get_size_inches()[1] < 9.5
    assert "150 recordings" in texts(figure)


def test_subjects_stand_in_one_order_in_both_panels(three_recordings):
    means = subject_means(three_recordings).sort_values("valence_mean")
    figure = paper.subject_dots(means.sample(frac=1, random_state=0))
    for axes, affect in zip(figure.axes, AFFECT, strict=True):
        dots = axes.lines[-1].get_xdata()
        np.testing.assert_allclose(dots, means[f"{affect}_mean"])
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == means["subject"].tolist()
    assert "3 subjects, n = 120 labels" in texts(figure)
    assert_apart(figure)


def test_annotations_show_raters_behind_and_gaps(three_recordings):
    second = three_recordings[1]
    ratings = np.stack([second["annotation"].values * share for share in (0.5, 0.9)])
    second = second.assign(rating=(("rater", "frame", "affect"), ratings))
    figure = paper.annotation_traces([three_recordings[0], second])
    lines = figure.axes[2].lines
    assert [line.get_label() for line in lines[1:]] == ["rating", "rating", "annotation"]
    np.testing.assert_array_equal(
        np.flatnonzero(np.isnan(lines[-1].get_ydata())), np.arange(10, 15)
    )
    assert "second, n = 55 frames, 2 raters (grey)" in texts(figure)
    assert_apart(figure)
    series = paper.annotation_series([three_recordings[0], second])
    assert len(series) == 100
    assert series["valence_rating_2"].notna().sum() == 55


@pytest.mark.parametrize("kind", paper.DATASET_FIGURES)
def test_each_kind_is_made_from_recordings_with_its_numbers_beside(kind, stores, tmp_path):
    paper.dataset_figure(kind, stores, tmp_path / "f.pdf")
    content = (tmp_path / "f.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Type3" not in content
    assert len(pd.read_csv(tmp_path / "f.csv"))


def test_density_and_subjects_need_no_preparing(tmp_path):
    root = synthetic.write(tmp_path / "r", people=(2, 0, 0), seconds=1, fps=8, size=64, workers=1)
    for kind in ("density", "subjects"):
        paper.dataset_figure(kind, root, tmp_path / f"{kind}.svg", dataset="affwild2")
        assert (tmp_path / f"{kind}.svg").is_file()
    for kind in ("coverage", "annotations"):
        with pytest.raises(AffectkitError, match="run: affectkit prepare"):
            paper.dataset_figure(kind, root, tmp_path / "x.svg", dataset="affwild2")


def test_one_recording_may_be_chosen(stores, tmp_path):
    paper.dataset_figure("annotations", stores, tmp_path / "f.png", recording="second")
    assert set(pd.read_csv(tmp_path / "f.csv")["recording"]) == {"second"}
    with pytest.raises(AffectkitError, match="did you mean 'second'"):
        paper.dataset_figure("annotations", stores, tmp_path / "f.png", recording="seconds")
    with pytest.raises(AffectkitError, match="did you mean 'density'"):
        paper.dataset_figure("densities", stores, tmp_path / "f.png")
