"""Losses over all annotated frames of a batch; NaN annotations and frames left out do not count.

Predictions are (N, 2), or (N, 4) where the net gives spreads; annotations (N, 2). A frame with a
NaN in either annotation is left out, and a batch without annotated frames gives 0, so it moves
nothing. `total` adds a tensor up over processes, each with its share of the batch: the concordance
is no mean over frames, so its moments have to be added, not its values.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from affectkit.recording import AFFECT

Total = Callable[[Tensor], Tensor]


class Loss(Protocol):
    """What every loss looks like."""

    def __call__(self, prediction: Tensor, annotation: Tensor, total: Total = ...) -> Tensor:
        """A number to make smaller."""


def _alone(sums: Tensor) -> Tensor:
    return sums


def ccc_loss(prediction: Tensor, annotation: Tensor, total: Total = _alone) -> Tensor:
    """1 - (CCC valence + CCC arousal) / 2, variances over n (ddof 0).

    All frames of the batch are pooled, as the paper's successor does.
    """
    moments = total(ccc_moments(prediction, annotation))
    loss = 1 - ccc_from_moments(moments).mean()
    return loss.where(moments[0, 0] > 0, 0.0)


def ccc_moments(prediction: Tensor, annotation: Tensor) -> Tensor:
    """Sums from which the CCC follows; those of two batches add up to those of both.

    Returns:
        (6, affect): over the annotated frames, the sums of 1, p, a, p p, a a, p a.
    """
    p, a = _annotated(prediction, annotation)
    return torch.stack([torch.ones_like(p), p, a, p * p, a * a, p * a]).sum(1)


def ccc_from_moments(moments: Tensor) -> Tensor:
    """CCC (affect) from `ccc_moments`; 0 where nothing is annotated, or nothing moves."""
    p, a, pp, aa, pa = moments[1:] / moments[0].clamp(min=1)
    # var p + var a + (mean p - mean a)^2, multiplied out
    spread = pp + aa - 2 * p * a
    # both constant and equal is 0 / 0: the epsilon makes that a concordance of 0
    ccc: Tensor = 2 * (pa - p * a) / (spread + 1e-8)
    return ccc


def mse_loss(prediction: Tensor, annotation: Tensor, total: Total = _alone) -> Tensor:
    """Mean squared error."""
    p, a = _annotated(prediction, annotation)
    return _mean((p - a) ** 2, total)


def gaussian_loss(prediction: Tensor, annotation: Tensor, total: Total = _alone) -> Tensor:
    """Negative log likelihood of the annotation under the net's mean and spread, but for log 2 pi.

    Nix and Weigend 1994. Where the net is unsure, it may say so: a wide spread forgives an error.
    """
    p, a = _annotated(prediction, annotation)
    deviation, _ = _annotated(prediction[:, len(AFFECT) :], annotation)
    likelihood = torch.nn.functional.gaussian_nll_loss(p, a, deviation**2, reduction="none")
    return _mean(likelihood, total)


def _annotated(prediction: Tensor, annotation: Tensor) -> tuple[Tensor, Tensor]:
    """The annotated frames of both (n, affect), wide enough that sums of squares lose nothing."""
    valid = annotation.isfinite().all(dim=1)
    # Apple's GPUs know no double
    wide = torch.float32 if prediction.device.type == "mps" else torch.float64
    return prediction[valid, : len(AFFECT)].to(wide), annotation[valid].to(wide)


def _mean(values: Tensor, total: Total) -> Tensor:
    added, count = total(torch.stack([values.sum(), values.new_tensor(values.numel())])).unbind()
    return added / count.clamp(min=1)


LOSSES: dict[str, Loss] = {"ccc": ccc_loss, "mse": mse_loss, "gaussian": gaussian_loss}


def build_loss(name: str, mix: Mapping[str, float]) -> Loss:
    """A loss by name; "mix" is the sum of losses, each times its weight in `mix`."""
    return partial(_mixed, mix) if name == "mix" else LOSSES[name]


def _mixed(
    mix: Mapping[str, float], prediction: Tensor, annotation: Tensor, total: Total = _alone
) -> Tensor:
    parts = [
        weight * LOSSES[name](prediction, annotation, total)
        for name, weight in mix.items()
        if weight
    ]
    return torch.stack(parts).sum()
