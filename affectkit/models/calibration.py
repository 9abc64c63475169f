"""Calibration of predicted standard deviations."""

import math

import torch
from torch import Tensor

from affectkit.recording import AFFECT


def fit_calibration(prediction: Tensor, annotation: Tensor, coverage: float = 0.9) -> Tensor:
    """A factor for the standard deviation of each affect, from frames not used for training.

    With this factor, the central interval of a normal distribution with the predicted mean and
    standard deviation contains `coverage` of the annotated frames. Levi et al. 2022 also scale
    standard deviations by one factor; the quantile is that of split conformal prediction (Lei et
    al. 2018). The coverage holds on average, for frames like these. Frames of one person are
    similar, so a few subjects give a poor estimate for others.

    Args:
        prediction: (N, 4), by a model with a calibration of 1.
        annotation: (N, 2); frames with a NaN are left out.
        coverage: between 0 and 1.

    Returns:
        (affect) float32, to be copied into the model's `calibration`; 1 without annotated frames.
    """
    valid = (annotation.isfinite() & prediction[:, : len(AFFECT)].isfinite()).all(dim=1)
    count = int(valid.sum())
    if count == 0:
        return torch.ones(len(AFFECT))
    mean, std = prediction[valid].double().chunk(2, dim=1)
    errors = ((annotation[valid] - mean).abs() / std).sort(dim=0).values
    rank = min(count, math.ceil((count + 1) * coverage))
    half_width = torch.special.ndtri(torch.tensor((1 + coverage) / 2, dtype=torch.float64))
    return torch.as_tensor(errors[rank - 1] / half_width.to(errors.device), dtype=torch.float32)
