"""Losses over all annotated frames of a batch.

Predictions are (N, 2), or (N, 4) if the model predicts standard deviations; annotations are (N, 2).
Frames with a NaN in either annotation are left out. A batch without annotated frames gives 0, with
zero gradients.

`total` sums a tensor over processes that each have a share of the batch. The CCC of a batch is not
the mean of the CCCs of its shares, so the moments are summed, not the values.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from affectkit.recording import AFFECT

Total = Callable[[Tensor], Tensor]


class Loss(Protocol):
    """The signature of all losses."""

    def __call__(self, prediction: Tensor, annotation: Tensor, total: Total = ...) -> Tensor:
        """A scalar to minimise."""


def _no_total(sums: Tensor) -> Tensor:
    return sums


def ccc_loss(prediction: Tensor, annotation: Tensor, total: Total = _no_total) -> Tensor:
    """1 - (CCC valence + CCC arousal) / 2, variances divided by n (ddof 0).

    All frames of the batch are pooled, as in the journal version of the paper.
    """
    moments = total(ccc_moments(prediction, annotation))
    loss = 1 - ccc_from_moments(moments).mean()
    return loss.where(moments[0, 0] > 0, 0.0)


def ccc_moments(prediction: Tensor, annotation: Tensor) -> Tensor:
    """Sums that determine the CCC. The sums of two batches add up to those of both together.

    Returns:
        (6, affect): the sums of 1, p, a, p p, a a and p a over the annotated frames, with p the
        prediction and a the annotation.
    """
    p, a = _annotated(prediction, annotation)
    return torch.stack([torch.ones_like(p), p, a, p * p, a * a, p * a]).sum(1)


def ccc_from_moments(moments: Tensor) -> Tensor:
    """CCC (affect) from `ccc_moments`; 0 without annotated frames, or if both are constant."""
    p, a, pp, aa, pa = moments[1:] / moments[0].clamp(min=1)
    # var p + var a + (mean p - mean a)^2, multiplied out
    denominator = pp + aa - 2 * p * a
    # two equal constants give 0 / 0: the epsilon makes this a CCC of 0
    ccc: Tensor = 2 * (pa - p * a) / (denominator + 1e-8)
    return ccc


def mse_loss(prediction: Tensor, annotation: Tensor, total: Total = _no_total) -> Tensor:
    """Mean squared error."""
    p, a = _annotated(prediction, annotation)
    return _mean((p - a) ** 2, total)


def gaussian_loss(prediction: Tensor, annotation: Tensor, total: Total = _no_total) -> Tensor:
    """Negative log likelihood of the annotation, without the constant log(2 pi) / 2.

    The model predicts the mean and the standard deviation of a normal distribution (Nix and Weigend
    1994). A larger standard deviation reduces the loss of a large error.
    """
    p, a = _annotated(prediction, annotation)
    std, _ = _annotated(prediction[:, len(AFFECT) :], annotation)
    likelihood = torch.nn.functional.gaussian_nll_loss(p, a, std**2, reduction="none")
    return _mean(likelihood, total)


def _annotated(prediction: Tensor, annotation: Tensor) -> tuple[Tensor, Tensor]:
    """The annotated frames (n, affect) of both, in double precision for the sums of squares."""
    valid = annotation.isfinite().all(dim=1)
    # MPS has no double precision
    dtype = torch.float32 if prediction.device.type == "mps" else torch.float64
    return prediction[valid, : len(AFFECT)].to(dtype), annotation[valid].to(dtype)


def _mean(values: Tensor, total: Total) -> Tensor:
    added, count = total(torch.stack([values.sum(), values.new_tensor(values.numel())])).unbind()
    return added / count.clamp(min=1)


LOSSES: dict[str, Loss] = {"ccc": ccc_loss, "mse": mse_loss, "gaussian": gaussian_loss}


def build_loss(name: str, mix: Mapping[str, float]) -> Loss:
    """A loss by name. "mix" is the weighted sum of losses, with the weights in `mix`."""
    return partial(_weighted_sum, mix) if name == "mix" else LOSSES[name]


def _weighted_sum(
    mix: Mapping[str, float], prediction: Tensor, annotation: Tensor, total: Total = _no_total
) -> Tensor:
    terms = [
        weight * LOSSES[name](prediction, annotation, total)
        for name, weight in mix.items()
        if weight
    ]
    return torch.stack(terms).sum()
