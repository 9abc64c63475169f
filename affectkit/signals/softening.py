"""Saliency maps, softened for the eye."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


def soften(maps: NDArray[np.floating], share: float = 1 / 32) -> NDArray[np.float32]:
    """Smooth saliency maps for the eye; what is stored and summed over regions stays as it is.

    Gradients of neighbouring pixels differ in sign, and averaging pixels alone shows grey.

    Args:
        maps: (..., row, col); NaN counts as 0.
        share: the Gaussian's sigma, as a share of the side.
    """
    sigma = share * maps.shape[-1]
    widths = (0.0,) * (maps.ndim - 2) + (sigma, sigma)
    smooth: NDArray[np.float32] = gaussian_filter(np.nan_to_num(maps.astype(np.float32)), widths)
    return smooth
