"""After each epoch: the scores on the validation recordings, and whether to stop early."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from affectkit.metrics import ccc
from affectkit.models.calibration import fit_calibration
from affectkit.models.prediction import predict_frames
from affectkit.run import best_epoch
from affectkit.training.checkpoint import HistoryRow
from affectkit.training.distributed import broadcast_buffers, gather_from_processes
from affectkit.training.learner import Learner
from affectkit.training.recipe import Recipe


def validate(
    learner: Learner,
    recipe: Recipe,
    recordings: Sequence[xr.Dataset],
    after_recording: Callable[[], None] = lambda: None,
) -> tuple[HistoryRow, dict[str, Tensor]]:
    """CCC over all frames of whole recordings; several processes share the recordings.

    Args:
        learner: the model; left in evaluation mode.
        recipe: gives the input size.
        recordings: the validation recordings.
        after_recording: called after each of them.

    Returns:
        `ccc_valence`, `ccc_arousal` and `ccc_mean`; and, for a model that predicts standard
        deviations, their `calibration`, the tensor by which the saved model scales them.
    """
    fabric, size = learner.fabric, recipe.windows.input_size
    broadcast_buffers(fabric, learner.model)
    learner.model.eval()
    own: dict[int, xr.Dataset] = {}
    for number in range(fabric.global_rank, len(recordings), fabric.world_size):
        own[number] = predict_frames(learner.model, recordings[number], size)
        after_recording()
    predicted = xr.concat(list(gather_from_processes(fabric, own).values()), "frame")
    annotation = xr.concat([r["annotation"] for r in recordings], "frame")
    score = ccc(annotation, predicted["prediction"], "frame")
    row = {f"ccc_{affect}": float(score.sel(affect=affect)) for affect in score["affect"].values}
    row["ccc_mean"] = float(score.mean())
    if "std" not in predicted:
        return row, {}
    values = torch.from_numpy(np.concatenate([predicted[name] for name in predicted], axis=1))
    return row, {"calibration": fit_calibration(values, torch.from_numpy(annotation.values))}


def is_finished(recipe: Recipe, history: Sequence[HistoryRow]) -> bool:
    """Whether all epochs are done, or `training.patience` epochs brought no better CCC."""
    settings = recipe.training
    if not history or len(history) >= settings.epochs:
        return bool(history)
    epochs_since_best = len(history) - 1 - best_epoch(history)
    return bool(settings.patience) and epochs_since_best >= settings.patience
