"""Read the lines and texts of a figure."""

import numpy as np


def lines(axes) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def texts(figure) -> str:
    shown = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        shown += [axes.get_title(loc=loc) for loc in ("left", "center", "right")]
        shown += [axes.get_xlabel(), axes.get_ylabel()]
    for legend in figure.legends:
        shown += [legend.get_title().get_text(), *(t.get_text() for t in legend.get_texts())]
    return "\n".join(shown)


def shown_texts(axes):
    """Titles, labels and texts, and the tick labels within the limits."""
    yield from (axes.title, axes._left_title, axes._right_title, *axes.texts)
    for axis in (axes.xaxis, axes.yaxis):
        if axes.axison:
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            yield axis.label
            yield from (t.label1 for t in ticks if low <= t.get_loc() <= high)


def assert_no_overlap(figure):
    """Check that no text overlaps another one or leaves the figure."""
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in shown_texts(axes)]
    texts += [text for legend in figure.legends for text in (legend.get_title(), *legend.texts)]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_text()]
    width, height = figure.canvas.get_width_height()
    for number, (text, box) in enumerate(boxes):
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0, text
        crossed = [other for other, other_box in boxes[:number] if box.overlaps(other_box)]
        assert not crossed, (text, crossed)
