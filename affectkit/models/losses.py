"""Losses over all annotated frames of a batch; NaN annotations and frames left out do not count."""

from collections.abc import Callable

import torch
from torch import Tensor


def ccc_loss(prediction: Tensor, annotation: Tensor) -> Tensor:
    """1 - (CCC valence + CCC arousal) / 2 over (N, 2), variances over n (ddof 0).

    All frames of the batch are pooled, as the paper's successor does; a frame with a NaN in either
    annotation is left out. A batch without annotated frames gives 0, so it moves nothing.
    """
    valid = annotation.isfinite().all(dim=1)
    if not valid.any():
        return prediction.sum() * 0
    p, a = prediction[valid].float(), annotation[valid].float()
    p_mean, a_mean = p.mean(0), a.mean(0)
    covariance = ((p - p_mean) * (a - a_mean)).mean(0)
    spread = p.var(0, correction=0) + a.var(0, correction=0) + (p_mean - a_mean) ** 2
    # both constant and equal is 0 / 0: the epsilon makes that a concordance of 0
    concordance = 2 * covariance / (spread + 1e-8)
    return 1 - concordance.mean()


def mse_loss(prediction: Tensor, annotation: Tensor) -> Tensor:
    """Mean squared error over the annotated frames of (N, 2)."""
    valid = annotation.isfinite().all(dim=1)
    if not valid.any():
        return prediction.sum() * 0
    return torch.nn.functional.mse_loss(prediction[valid].float(), annotation[valid].float())


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"ccc": ccc_loss, "mse": mse_loss}
