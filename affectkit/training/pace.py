"""How long an epoch of a recipe takes on this machine, from a few steps of the loop itself."""

import time
from pathlib import Path
from typing import NamedTuple

import torch

from affectkit.recording import AFFECT, POINTS
from affectkit.training.fit import read_splits
from affectkit.training.learner import Learner, build_learner
from affectkit.training.recipe import Recipe
from affectkit.training.sampling import check_stills, plan_epoch
from affectkit.training.step import train_step
from affectkit.training.summary import one_process
from affectkit.training.windows import Batch, open_source

LONG_ENOUGH = 0.8  # seconds; a longer step is not made longer still to be timed better


class Pace(NamedTuple):
    """What steps of training take; reading recordings is not in it."""

    frame: float  # seconds for each frame of a step
    step: float  # seconds for a step whatever its frames, such as the optimiser's
    timed: int  # frames of the longest step that was timed
    device: str
    devices: int  # that work side by side; processes on a CPU share its cores

    def seconds(self, frames: int, batch: int) -> float:
        """Time for frames in steps of `batch` frames on each device."""
        return frames / self.devices * (self.frame + self.step / batch)


def time_step(recipe: Recipe) -> Pace:
    """Train on noise: augmentation, forward and backward pass and a step of the optimiser.

    The first steps have one window of two frames, the next four times as many, until a step takes
    most of a second or has a whole batch. The last two sizes say what a frame takes, and what a
    step does; each is timed twice, and the faster one counts.
    """
    alone = one_process(recipe)
    learner = build_learner(alone, steps=1000)
    length, batch = alone.windows.length, alone.windows.batch
    _seconds(learner, alone, 1, min(2, length))  # memory is asked for, kernels are chosen
    timed = [(0, 0.0)]
    for windows, frames in _sizes(batch, length):
        seconds = min(_seconds(learner, alone, windows, frames) for _ in range(2))
        timed.append((windows * frames, seconds))
        if len(timed) > 2 and seconds > LONG_ENOUGH:
            break
    (few, short), (many, long) = timed[-2:]
    whole = many == batch * length  # nothing is left to guess
    frame = long / many if whole or long < short else (long - short) / (many - few)
    device = learner.fabric.device
    devices = 1 if device.type == "cpu" else recipe.training.devices
    return Pace(frame, max(0.0, long - many * frame), many, str(device), devices)


def _sizes(batch: int, length: int) -> list[tuple[int, int]]:
    """Windows and their frames, from two frames to a whole batch."""
    frames = [min(2 * 4**power, length) for power in range(length.bit_length())]
    windows = [min(4**power, batch) for power in range(batch.bit_length())]
    return sorted({(1, each) for each in frames} | {(each, length) for each in windows})


def _seconds(learner: Learner, recipe: Recipe, windows: int, length: int) -> float:
    size = recipe.windows.input_size
    batch = Batch(
        torch.randint(256, (windows, length, size, size, 3), dtype=torch.uint8),
        torch.rand(windows, length, POINTS, 2),
        torch.rand(windows, length, len(AFFECT)),
    )
    began = time.perf_counter()
    train_step(learner, recipe, batch)
    return time.perf_counter() - began


def frames_in_epoch(recipe: Recipe, recordings: Path) -> int:
    """Frames that an epoch of a recipe shows of a folder of recordings, padding included.

    Raises:
        AffectkitError: there are none, or they cannot be trained on.
    """
    sources = [open_source(recording) for recording in read_splits(recipe, recordings)["train"]]
    check_stills(sources, recipe)
    batches = plan_epoch(sources, recipe.windows, (recipe.seed, 0))
    return sum(map(len, batches)) * recipe.windows.length
