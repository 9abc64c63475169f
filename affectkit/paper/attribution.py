"""Figures of attributions: saliency maps of chosen frames, and the shares of the face regions."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.paper import style
from affectkit.paper.traces import align_prediction
from affectkit.signals import smooth_saliency

LEFT, RIGHT, GAP, BOTTOM = 0.5, 0.65, 0.05, 0.38  # inches, of the film strip
TRACE_HEIGHT = 0.95


def film_strip(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    attribution: xr.Dataset,
    frames: Sequence[int],
    *,
    target: str = "valence",
    width_inches: float = style.TWO_COLUMNS,
) -> Figure:
    """Faces of chosen frames, their saliency maps on one scale, and the trace with these frames.

    The saliency maps are smoothed (`signals.smooth_saliency`); say so in the caption.

    Args:
        recording: with `face`, `annotation` and `crop_box`.
        prediction: `prediction` (frame, affect) on the same frames.
        attribution: `attribution` (affect, frame, row, col), on any grid that spans the crop.
        frames: numbers of the frames to show; 5 to 8 are easy to read.
        target: `valence` or `arousal`.
        width_inches: of the whole figure.

    Raises:
        AffectkitError: `frames` is empty, or the recording does not have one of them.
        xarray.AlignmentError: recording and prediction have different frames.
    """
    frames = _check_frames(recording, frames)
    tile = (width_inches - LEFT - RIGHT + GAP) / len(frames) - GAP
    maps_bottom = BOTTOM + TRACE_HEIGHT + 0.12
    figure = style.new_figure(width_inches, maps_bottom + 2 * tile + GAP + 0.32)
    faces = recording["face"].sel(frame=frames).values
    maps = smooth_saliency(attribution["attribution"].sel(affect=target, frame=frames).values)
    limit = saliency_limit(maps)
    times = recording["time"].sel(frame=frames).values
    for number, frame in enumerate(frames):
        position = (LEFT + number * (tile + GAP), maps_bottom, tile)
        title = f"frame {frame}\n{times[number]:.2f} s"
        _draw_tiles(figure, position, faces[number], saliency_colours(maps[number], limit), title)
    _draw_scale(figure, (width_inches - RIGHT + 0.08, maps_bottom, tile), limit, target)
    _draw_trace(figure, recording, align_prediction(recording, prediction), frames, target)
    return figure


def _check_frames(recording: xr.Dataset, frames: Sequence[int]) -> list[int]:
    known = set(recording["frame"].values.tolist())
    missing = [int(frame) for frame in frames if frame not in known]
    if missing or not len(frames):
        raise AffectkitError(
            f"recording {recording.attrs['recording']!r} has {len(known)} frames from "
            f"{min(known)} to {max(known)}, but "
            + (f"the frames {missing} were requested" if missing else "no frames were requested")
            + "; request frames of this recording"
        )
    return list(frames)


def saliency_limit(maps: NDArray[np.floating]) -> float:
    """The end of the colour scale: the 99.5th percentile of |maps|, robust to single pixels."""
    return float(np.nanpercentile(np.abs(maps), 99.5)) or 1.0


def saliency_colours(saliency: NDArray[np.floating], limit: float) -> NDArray[np.float64]:
    """Colours (row, col, rgba) of a saliency map: transparent at 0, opaque at ±limit."""
    share = np.nan_to_num(saliency / limit).clip(-1, 1)
    colours: NDArray[np.float64] = style.DIVERGING((share + 1) / 2)
    colours[..., 3] = np.sqrt(np.abs(share)) * 0.9
    return colours


def _draw_tiles(
    figure: Figure,
    position: tuple[float, float, float],
    face: NDArray[np.uint8],
    colours: NDArray[np.float64],
    title: str,
) -> None:
    left, bottom, tile = position
    upper = style.add_axes(figure, left, bottom + tile + GAP, tile, tile)
    upper.imshow(face)
    size = min(style.FONT, 12 * tile)  # "frame 12345" fits on a narrow tile
    upper.set_title(title, fontsize=size, color=style.INK, pad=2)
    lower = style.add_axes(figure, left, bottom, tile, tile)
    grey = face.mean(-1)
    extent = (-0.5, face.shape[1] - 0.5, face.shape[0] - 0.5, -0.5)
    lower.imshow(grey, cmap="gray", vmin=0, vmax=255)
    lower.imshow(colours, extent=extent, interpolation="nearest")
    for axes in (upper, lower):
        axes.set_axis_off()


def _draw_scale(
    figure: Figure, position: tuple[float, float, float], limit: float, target: str
) -> None:
    left, bottom, height = position
    axes = style.add_axes(figure, left, bottom, 0.08, height)
    mappable = ScalarMappable(Normalize(-limit, limit), style.DIVERGING)
    bar = figure.colorbar(mappable, cax=axes, ticks=[-limit, 0, limit], extend="both")
    bar.ax.set_yticklabels([f"−{limit:.2g}", "0", f"{limit:.2g}"], fontsize=style.FONT - 1)
    bar.outline.set_linewidth(0.5)
    axes.set_label("scale")
    for height, text, align in ((1.1, f"raises\n{target}", "bottom"), (-0.1, "lowers", "top")):
        axes.text(0, height, text, va=align, transform=axes.transAxes, fontsize=style.FONT - 1)


def _draw_trace(
    figure: Figure,
    recording: xr.Dataset,
    predicted: xr.DataArray,
    frames: Sequence[int],
    target: str,
) -> None:
    width = figure.get_size_inches()[0]
    axes = style.add_axes(figure, LEFT, BOTTOM, width - LEFT - RIGHT, TRACE_HEIGHT)
    style.draw_affect(axes, recording, predicted, target)
    times = recording["time"].sel(frame=list(frames)).values
    has_face = recording["crop_box"].notnull().all("edge")
    values = predicted.where(has_face).sel(affect=target, frame=list(frames)).values
    axes.vlines(times, -1, 1, color=style.INK2, linewidth=0.4, linestyle=(0, (2, 2)))
    axes.plot(
        times, values, "o", color=style.PREDICTION, markeredgecolor="white", markersize=4,
        markeredgewidth=0.6, label="shown frames",
    )  # fmt: skip
    axes.set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)


def region_bars(attribution: xr.Dataset, *, width_inches: float = style.ONE_COLUMN) -> Figure:
    """Mean share of each face region in |attribution|: lowering left of 0, raising right of 0.

    A tick shows half the region's share of the crop's area: the share on each side if attribution
    were spread evenly over the pixels.

    Args:
        attribution: `region_share` (affect, frame, region, direction) and `region_area`
            (frame, region); frames with NaN are left out.
        width_inches: of the whole figure.
    """
    share = attribution["region_share"].mean("frame")
    area = attribution["region_area"].mean("frame")
    regions = [str(region) for region in attribution["region"].values]
    height = 0.16 * len(regions)
    figure = style.new_figure(width_inches, height + 0.8)
    width = (width_inches - 0.95) / 2
    limit = 1.1 * max(float(share.max()), float(area.max()) / 2, 1e-6)
    for column, affect in enumerate(share["affect"].values):
        axes = style.add_axes(figure, 0.75 + column * (width + 0.1), 0.55, width, height)
        _draw_regions(axes, share.sel(affect=affect), area)
        axes.set_xlim(-limit, limit)
        axes.set_ylim(len(regions) - 0.5, -0.5)
        axes.set_yticks(range(len(regions)), regions if column == 0 else [""] * len(regions))
        axes.set_title(str(affect), fontsize=style.FONT, color=style.INK, pad=3)
        axes.set_xlabel("lowers   |   raises", fontsize=style.FONT, color=style.INK)
    figure.text(
        0.5, 0.03, "share of |attribution|; ticks: half the share of the crop's area", ha="center",
        fontsize=style.FONT - 1, color=style.INK2,
    )  # fmt: skip
    return figure


def _draw_regions(axes: Axes, share: xr.DataArray, area: xr.DataArray) -> None:
    rows = range(share.sizes["region"])
    lowers, raises = share.sel(direction="lowers").values, share.sel(direction="raises").values
    axes.barh(rows, -lowers, height=0.7, color=style.LOWERS, label="lowers")
    axes.barh(rows, raises, height=0.7, color=style.RAISES, label="raises")
    for sign in (-1, 1):
        axes.plot(
            sign * area.values / 2, rows, "|", color=style.INK, markersize=5, markeredgewidth=0.7
        )
    axes.axvline(0, color=style.INK2, linewidth=0.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.2g}")
    axes.locator_params(axis="x", nbins=5)
