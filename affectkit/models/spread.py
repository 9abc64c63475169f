"""Spreads that hold: how far a net's own uncertainty has to be stretched."""

import math

import torch
from torch import Tensor

from affectkit.recording import AFFECT


def fit_calibration(prediction: Tensor, annotation: Tensor, coverage: float = 0.9) -> Tensor:
    """A factor for the spread of each affect, from frames that the net was not trained on.

    With it, the central interval of a normal distribution of the predicted mean and spread holds
    `coverage` of the annotated frames (Levi et al. 2022 scale spreads by one factor too; the
    quantile is that of split conformal prediction, Lei et al. 2018). It is a promise for frames
    like these, on average; frames of one person are much alike, so few people promise little.

    Args:
        prediction: (N, 4), by a net whose calibration is 1.
        annotation: (N, 2); frames with a NaN do not count.
        coverage: between 0 and 1.

    Returns:
        (affect) float32, to be copied into the net's `calibration`; 1 without annotated frames.
    """
    valid = (annotation.isfinite() & prediction[:, : len(AFFECT)].isfinite()).all(dim=1)
    count = int(valid.sum())
    if count == 0:
        return torch.ones(len(AFFECT))
    value, deviation = prediction[valid].double().chunk(2, dim=1)
    errors = ((annotation[valid] - value).abs() / deviation).sort(dim=0).values
    rank = min(count, math.ceil((count + 1) * coverage))
    width = torch.special.ndtri(torch.tensor((1 + coverage) / 2, dtype=torch.float64))
    return torch.as_tensor(errors[rank - 1] / width.to(errors.device), dtype=torch.float32)
