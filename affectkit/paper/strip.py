"""A film strip: faces, what in them moved the output, and where in time they lie."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.paper import style
from affectkit.paper.traces import aligned
from affectkit.signals import soften

LEFT, RIGHT, GAP = 0.5, 0.65, 0.05  # inches
SERIES = 0.95
BOTTOM = 0.38


def film_strip(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    attribution: xr.Dataset,
    frames: Sequence[int],
    *,
    target: str = "valence",
    width_inches: float = style.TWO_COLUMNS,
) -> Figure:
    """A row of faces, a row of saliency maps on one printed scale, the series with markers below.

    The maps are softened for the eye (`signals.soften`); a caption should say so.

    Args:
        recording: with `face`, `annotation` and `crop_box`.
        prediction: `prediction` (frame, affect) on the same frames.
        attribution: `attribution` (affect, frame, row, col), on any grid that spans the crop.
        frames: numbers of the frames to show, 5 to 8 of them read best.
        target: `valence` or `arousal`.
        width_inches: of the whole figure.

    Raises:
        AffectkitError: no frames are asked for, or the recording does not hold one of them.
    """
    frames = _known(recording, frames)
    tile = (width_inches - LEFT - RIGHT + GAP) / len(frames) - GAP
    floor = BOTTOM + SERIES + 0.12  # where the lower row of tiles stands
    figure = style.new_figure(width_inches, floor + 2 * tile + GAP + 0.32)
    faces = recording["face"].sel(frame=frames).values
    maps = soften(attribution["attribution"].sel(affect=target, frame=frames).values)
    limit = scale_of(maps)
    times = recording["time"].sel(frame=frames).values
    for number, frame in enumerate(frames):
        place = (LEFT + number * (tile + GAP), floor, tile)
        title = f"frame {frame}\n{times[number]:.2f} s"
        _tile_pair(figure, place, faces[number], overlay(maps[number], limit), title)
    _scale(figure, (width_inches - RIGHT + 0.08, floor, tile), limit, target)
    _series(figure, recording, aligned(recording, prediction), frames, target)
    return figure


def _known(recording: xr.Dataset, frames: Sequence[int]) -> list[int]:
    held = set(recording["frame"].values.tolist())
    absent = [frame for frame in frames if frame not in held]
    if absent or not len(frames):
        raise AffectkitError(
            f"recording {recording.attrs['recording']!r} has {len(held)} frames from "
            f"{min(held)} to {max(held)}; cannot show {absent or 'none of them'}"
        )
    return list(frames)


def scale_of(maps: NDArray[np.floating]) -> float:
    """The value at the ends of the scale: the 99.5th percentile of |maps|, so no pixel rules it."""
    return float(np.nanpercentile(np.abs(maps), 99.5)) or 1.0


def overlay(saliency: NDArray[np.floating], limit: float) -> NDArray[np.float64]:
    """Colours (row, col, red-green-blue-alpha): clear at 0, opaque at the ends of the scale."""
    share = np.nan_to_num(saliency / limit).clip(-1, 1)
    colours: NDArray[np.float64] = style.DIVERGING((share + 1) / 2)
    colours[..., 3] = np.sqrt(np.abs(share)) * 0.9
    return colours


def _tile_pair(
    figure: Figure,
    place: tuple[float, float, float],
    face: NDArray[np.uint8],
    colours: NDArray[np.float64],
    title: str,
) -> None:
    left, bottom, tile = place
    upper = style.add_axes(figure, left, bottom + tile + GAP, tile, tile)
    upper.imshow(face)
    size = min(style.FONT, 12 * tile)  # points that "frame 12345" may take on a narrow tile
    upper.set_title(title, fontsize=size, color=style.INK, pad=2)
    lower = style.add_axes(figure, left, bottom, tile, tile)
    grey = face.mean(-1)
    extent = (-0.5, face.shape[1] - 0.5, face.shape[0] - 0.5, -0.5)
    lower.imshow(grey, cmap="gray", vmin=0, vmax=255)
    lower.imshow(colours, extent=extent, interpolation="nearest")
    for axes in (upper, lower):
        axes.set_axis_off()


def _scale(figure: Figure, place: tuple[float, float, float], limit: float, target: str) -> None:
    left, bottom, height = place
    axes = style.add_axes(figure, left, bottom, 0.08, height)
    shown = ScalarMappable(Normalize(-limit, limit), style.DIVERGING)
    bar = figure.colorbar(shown, cax=axes, ticks=[-limit, 0, limit], extend="both")
    bar.ax.set_yticklabels([f"−{limit:.2g}", "0", f"{limit:.2g}"], fontsize=style.FONT - 1)
    bar.outline.set_linewidth(0.5)
    axes.set_label("scale")
    for height, words, side in ((1.1, f"raises\n{target}", "bottom"), (-0.1, "lowers", "top")):
        axes.text(0, height, words, va=side, transform=axes.transAxes, fontsize=style.FONT - 1)


def _series(
    figure: Figure,
    recording: xr.Dataset,
    predicted: xr.DataArray,
    frames: Sequence[int],
    target: str,
) -> None:
    width = figure.get_size_inches()[0]
    axes = style.add_axes(figure, LEFT, BOTTOM, width - LEFT - RIGHT, SERIES)
    style.draw_affect(axes, recording, predicted, target)
    times = recording["time"].sel(frame=list(frames)).values
    seen = recording["crop_box"].notnull().all("edge")
    heights = predicted.where(seen).sel(affect=target, frame=list(frames)).values
    axes.vlines(times, -1, 1, color=style.INK2, linewidth=0.4, linestyle=(0, (2, 2)))
    axes.plot(
        times, heights, "o", color=style.PREDICTION, markeredgecolor="white", markersize=4,
        markeredgewidth=0.6, label="shown frames",
    )  # fmt: skip
    axes.set_xlabel("time (s)", fontsize=style.FONT, color=style.INK)
