"""Attribution: how much each pixel of a frame raises or lowers the prediction for that frame."""

from affectkit.attribution.attribution import attribute
from affectkit.attribution.methods import METHODS

__all__ = ["METHODS", "attribute"]
