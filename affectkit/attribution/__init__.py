"""Attribution: how much each pixel of a frame moved valence and arousal on that frame."""

from affectkit.attribution.attribute import METHODS, attribute

__all__ = ["METHODS", "attribute"]
