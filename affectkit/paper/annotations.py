"""Figures of the annotations of a dataset: their density, their coverage, and their subjects."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from affectkit import statistics
from affectkit.paper import style
from affectkit.recording import AFFECT

UNITS = {"frame": "frames", "sample": "samples"}
# the blue half of Crameri's vik, light to dark: it keeps its order in grey print
SEQUENTIAL = LinearSegmentedColormap.from_list("blues", style.VIK[4::-1])
ROW = 0.13  # inches for a recording
MAX_HEIGHT = 8.0  # inches for all recordings, so that the figure fits on a page
STATUS = {
    (True, True): ("annotated, face", style.LOWERS),
    (True, False): ("annotated, no face", style.PREDICTION),
    (False, True): ("face, not annotated", "#c9dde7"),
    (False, False): ("neither", style.HAIR),
}
SUBJECTS_HEIGHT, SUBJECT_ROW = 2.2, 0.12  # inches
SUBJECT_NAMES = 0.5  # inches on the left for the names of the subjects


def annotation_density(
    recordings: Sequence[xr.Dataset], *, width_inches: float = style.ONE_COLUMN
) -> Figure:
    """Histogram of the annotations in the valence-arousal plane, with a histogram of each affect.

    The colour scale is logarithmic, since most labels of every dataset are near neutral. White
    cells hold no label.

    Args:
        recordings: with `annotation`.
        width_inches: of the whole figure.

    Raises:
        AffectkitError: no recording is annotated.
    """
    left, bottom, margin, gap, bar_width = 0.46, 0.36, 0.36, 0.04, 0.08  # inches
    counts = statistics.affect_histogram(statistics.affect_values(recordings))
    unit = _unit(recordings)
    side = width_inches - left - gap - margin - 0.66
    figure = style.new_figure(width_inches, bottom + side + gap + margin + 0.2)
    norm = LogNorm(1, max(2, int(counts.max())))
    axes = style.add_axes(figure, left, bottom, side, side)
    axes.imshow(
        counts.where(counts > 0).transpose("arousal", "valence").values, cmap=SEQUENTIAL, norm=norm,
        origin="lower", extent=(-1, 1, -1, 1), interpolation="nearest",
    )  # fmt: skip
    _label_plane(axes)
    width = 2 / statistics.CELLS
    above = style.add_axes(figure, left, bottom + side + gap, side, margin)
    above.bar(counts["valence"].values, counts.sum("arousal").values, width, color=style.FILL)
    above.set_xlim(-1, 1)
    right = style.add_axes(figure, left + side + gap, bottom, margin, side)
    right.barh(counts["arousal"].values, counts.sum("valence").values, width, color=style.FILL)
    right.set_ylim(-1, 1)
    for histogram in (above, right):
        histogram.set_axis_off()
    bar = style.add_axes(figure, left + side + gap + margin + 0.12, bottom, bar_width, side)
    _colour_bar(figure, bar, ScalarMappable(norm, SEQUENTIAL), f"{unit} in a cell")
    title = f"n = {int(counts.sum()):,} {unit}"
    above.set_title(title, fontsize=style.FONT, color=style.INK, pad=3)
    return figure


def _unit(recordings: Sequence[xr.Dataset]) -> str:
    """What a label belongs to: `frames`, `samples` or `clips`; `labels` if that differs."""
    units = {
        next((UNITS[str(dim)] for dim in each["annotation"].dims if dim in UNITS), "clips")
        for each in recordings
    }
    return units.pop() if len(units) == 1 else "labels"


def _label_plane(axes: Axes) -> None:
    axes.set_xticks(style.TICKS, style.TICK_LABELS)
    axes.set_yticks(style.TICKS, style.TICK_LABELS)
    axes.set_xlabel("valence", fontsize=style.FONT, color=style.INK, labelpad=2)
    axes.set_ylabel("arousal", fontsize=style.FONT, color=style.INK, labelpad=0)
    axes.axhline(0, color=style.INK2, linewidth=0.3)
    axes.axvline(0, color=style.INK2, linewidth=0.3)
    for spine in axes.spines.values():
        spine.set_visible(True)


def _colour_bar(figure: Figure, axes: Axes, mappable: ScalarMappable, title: str) -> None:
    bar = figure.colorbar(mappable, cax=axes)
    bar.ax.tick_params(labelsize=style.FONT - 1, colors=style.INK2, width=0.5, length=2)
    bar.ax.minorticks_off()
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    bar.outline.set_linewidth(0.5)
    bar.set_label(title, fontsize=style.FONT, color=style.INK, labelpad=2)


def coverage_bars(
    recordings: Sequence[xr.Dataset], *, width_inches: float = style.TWO_COLUMNS
) -> Figure:
    """Which frames are annotated and show a face: a bar over time for each recording, by split.

    Only annotated frames with a face are used for training.

    Args:
        recordings: with `time`, `annotation` and `crop_box`.
        width_inches: of the whole figure.

    Raises:
        AffectkitError: these are not prepared recordings.
    """
    left, right, bottom, top = 1.1, 0.6, 0.36, 0.42  # inches
    segments = statistics.coverage(recordings)
    names = segments.drop_duplicates("recording")
    row = min(ROW, MAX_HEIGHT / len(names))
    height = row * len(names)
    figure = style.new_figure(width_inches, bottom + height + top)
    axes = style.add_axes(figure, left, bottom, width_inches - left - right, height)
    rows = {name: number for number, name in enumerate(names["recording"])}
    for status, (_, colour) in STATUS.items():
        shown = segments[_has_status(segments, status)]
        axes.barh(
            shown["recording"].map(rows), shown["end"] - shown["start"], left=shown["start"],
            height=0.8 if len(rows) * ROW < MAX_HEIGHT else 1.0, color=colour, linewidth=0,
        )  # fmt: skip
    axes.set_xlim(0, max(float(segments["end"].max()), 1e-3))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)
    _label_recordings(axes, names, named=row >= ROW)
    _label_splits(axes, names["split"].to_numpy())
    _coverage_legend(figure, segments, left / width_inches)
    return figure


def _has_status(segments: pd.DataFrame, status: tuple[bool, bool]) -> pd.Series:
    return (segments["annotated"] == status[0]) & (segments["face"] == status[1])


def _label_recordings(axes: Axes, names: pd.DataFrame, *, named: bool) -> None:
    if named:
        axes.set_yticks(range(len(names)), names["recording"].str.slice(0, 24))
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(names)} recordings", fontsize=style.FONT, color=style.INK)


def _label_splits(axes: Axes, splits: np.ndarray) -> None:
    starts = np.flatnonzero(np.append(True, splits[1:] != splits[:-1]))
    for start, end in zip(starts, np.append(starts[1:], len(splits)), strict=True):
        axes.plot([1.01, 1.01], [start - 0.4, end - 0.6], color=style.INK2, linewidth=0.5,
                  transform=axes.get_yaxis_transform(), clip_on=False)  # fmt: skip
        axes.annotate(
            splits[start] or "no split", (1.01, (start + end - 1) / 2), xytext=(3, 0),
            xycoords=axes.get_yaxis_transform(), textcoords="offset points", va="center",
            fontsize=style.FONT, color=style.INK,
        )  # fmt: skip


def _coverage_legend(figure: Figure, segments: pd.DataFrame, left: float) -> None:
    total = segments["frames"].sum()
    patches = []
    for status, (name, colour) in STATUS.items():
        share = segments.loc[_has_status(segments, status), "frames"].sum() / total
        patches.append(Patch(color=colour, label=f"{name} {share:.1%}"))
    recordings = segments["recording"].nunique()
    figure.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(left, 1.0), ncols=4,
        fontsize=style.FONT, frameon=False, handlelength=1, handleheight=0.7, borderaxespad=0.2,
        columnspacing=1.2, title=f"n = {total:,} frames of {recordings} recordings",
        title_fontsize=style.FONT, alignment="left",
    )  # fmt: skip


def subject_dots(
    recordings: Sequence[xr.Dataset], *, width_inches: float = style.ONE_COLUMN
) -> Figure:
    """Mean (dot) and standard deviation (line) of the annotations of each subject.

    Subjects are sorted by mean valence.

    Args:
        recordings: with `annotation` and the attr `subject`.
        width_inches: of the whole figure.

    Raises:
        AffectkitError: no recording is annotated.
    """
    left, gap, right, bottom, top = 0.42, 0.25, 0.1, 0.36, 0.26  # inches
    ordered = statistics.subject_means(recordings).sort_values("valence_mean")
    named = len(ordered) * SUBJECT_ROW <= SUBJECTS_HEIGHT
    left += SUBJECT_NAMES if named else 0
    figure = style.new_figure(width_inches, bottom + SUBJECTS_HEIGHT + top)
    width = (width_inches - left - gap - right) / 2
    for column, affect in enumerate(AFFECT):
        axes = style.add_axes(figure, left + column * (width + gap), bottom, width, SUBJECTS_HEIGHT)
        _draw_subjects(axes, ordered, affect)
    first = figure.axes[0]
    first.set_ylabel("subjects, by mean valence", fontsize=style.FONT, color=style.INK)
    if named:
        first.set_yticks(range(len(ordered)), ordered["subject"].str.slice(0, 12))
    title = f"{len(ordered)} subjects, n = {ordered['labels'].sum():,} labels"
    first.set_title(title, fontsize=style.FONT, color=style.INK, loc="left", pad=5)
    return figure


def _draw_subjects(axes: Axes, ordered: pd.DataFrame, affect: str) -> None:
    mean, std = ordered[f"{affect}_mean"], ordered[f"{affect}_std"]
    rows = range(len(ordered))
    size = max(0.8, min(3.5, 48 * SUBJECTS_HEIGHT / len(ordered)))
    axes.axvline(0, color=style.HAIR, linewidth=0.75, zorder=0)
    axes.hlines(rows, mean - std, mean + std, color=style.FILL, linewidth=min(1.0, size / 3))
    axes.plot(mean, rows, "o", color=style.INK, markersize=size, markeredgewidth=0)
    axes.set_xlim(-1, 1)
    axes.set_ylim(-1, len(ordered))
    axes.set_xticks(style.TICKS, style.TICK_LABELS)
    axes.set_yticks([])
    axes.set_xlabel(f"{affect}, mean ± std", fontsize=style.FONT, color=style.INK)
