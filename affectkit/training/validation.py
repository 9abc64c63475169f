"""How well the net does on the recordings that validate, as training goes on."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from affectkit.metrics import ccc
from affectkit.models.spread import fit_calibration
from affectkit.training.learner import Learner
from affectkit.training.place import Row
from affectkit.training.processes import gather, share_statistics
from affectkit.training.recipe import Recipe
from affectkit.training.stream import predict_frames


def validate(
    learner: Learner,
    recipe: Recipe,
    recordings: Sequence[xr.Dataset],
    pause: Callable[[], None] = lambda: None,
) -> tuple[Row, dict[str, Tensor]]:
    """CCC of whole recordings, their frames pooled; of several processes, each predicts some.

    Of a net that gives spreads, what stretches them to hold as many annotations as they promise.
    """
    fabric, size = learner.fabric, recipe.windows.input_size
    share_statistics(fabric, learner.model)
    learner.model.eval()
    own: dict[int, xr.Dataset] = {}
    for number in range(fabric.global_rank, len(recordings), fabric.world_size):
        own[number] = predict_frames(learner.model, recordings[number], size)
        pause()
    predicted = xr.concat(list(gather(fabric, own).values()), "frame")
    annotation = xr.concat([r["annotation"] for r in recordings], "frame")
    score = ccc(annotation, predicted["prediction"], "frame")
    rows = {f"ccc_{affect}": float(score.sel(affect=affect)) for affect in score["affect"].values}
    rows["ccc_mean"] = float(score.mean())
    if "spread" not in predicted:
        return rows, {}
    values = torch.from_numpy(np.concatenate([predicted[name] for name in predicted], axis=1))
    return rows, {"calibration": fit_calibration(values, torch.from_numpy(annotation.values))}
