"""How well human raters agree: the ceiling for a prediction."""

import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.metrics import ccc


def rater_agreement(recording: xr.Dataset) -> xr.DataArray:
    """Mean CCC of each rater against the mean of the others: (affect).

    Raises:
        AffectkitError: the recording has no `rating`, or only one rater.
    """
    name = recording.attrs.get("recording", "?")
    raters = recording.sizes.get("rater", 0)
    if "rating" not in recording or raters < 2:
        raise AffectkitError(
            f"recording {name!r} has {raters} raters; agreement needs 'rating' of two or more"
        )
    rating = recording["rating"].assign_coords(rater=range(raters))
    agreement = [
        ccc(rating.sel(rater=rater, drop=True), rating.drop_sel(rater=rater).mean("rater"), "frame")
        for rater in range(raters)
    ]
    return xr.concat(agreement, "rater").mean("rater")
