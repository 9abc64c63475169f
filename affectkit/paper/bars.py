"""How the attribution is shared among the regions of the face."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from affectkit.paper import style


def region_bars(attribution: xr.Dataset, *, width_inches: float = style.ONE_COLUMN) -> Figure:
    """Mean share of each region in |attribution|: left what lowers, right what raises.

    A tick shows the region's share of the crop's area: what it would have if the place of a pixel
    did not matter.

    Args:
        attribution: `region_share` (affect, frame, region, direction) and `region_area`
            (frame, region); NaN frames are left out.
        width_inches: of the whole figure.
    """
    share = attribution["region_share"].mean("frame")
    area = attribution["region_area"].mean("frame")
    regions = [str(region) for region in attribution["region"].values]
    height = 0.16 * len(regions)
    figure = style.new_figure(width_inches, height + 0.8)
    width = (width_inches - 0.95) / 2
    reach = 1.1 * max(float(share.max()), float(area.max()) / 2, 1e-6)
    for column, affect in enumerate(share["affect"].values):
        axes = style.add_axes(figure, 0.75 + column * (width + 0.1), 0.55, width, height)
        _draw(axes, share.sel(affect=affect), area)
        axes.set_xlim(-reach, reach)
        axes.set_ylim(len(regions) - 0.5, -0.5)
        axes.set_yticks(range(len(regions)), regions if column == 0 else [""] * len(regions))
        axes.set_title(str(affect), fontsize=style.FONT, color=style.INK, pad=3)
        axes.set_xlabel("lowers   |   raises", fontsize=style.FONT, color=style.INK)
    figure.text(
        0.5, 0.03, "share of |attribution|; ticks: half the share of the crop's area", ha="center",
        fontsize=style.FONT - 1, color=style.INK2,
    )  # fmt: skip
    return figure


def _draw(axes: Axes, share: xr.DataArray, area: xr.DataArray) -> None:
    places = range(share.sizes["region"])
    lowers, raises = share.sel(direction="lowers").values, share.sel(direction="raises").values
    axes.barh(places, -lowers, height=0.7, color=style.LOWERS, label="lowers")
    axes.barh(places, raises, height=0.7, color=style.RAISES, label="raises")
    for sign in (-1, 1):
        axes.plot(
            sign * area.values / 2, places, "|", color=style.INK, markersize=5, markeredgewidth=0.7
        )
    axes.axvline(0, color=style.INK2, linewidth=0.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.2g}")
    axes.locator_params(axis="x", nbins=5)
