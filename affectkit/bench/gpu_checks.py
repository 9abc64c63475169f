"""Checks of `bench.gpu`: the device gives the same results as the CPU, and changes nothing.

On a computer without a GPU, the results of a recording in short chunks are compared with those of
the same recording in one chunk.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from affectkit.bench.gpu_setup import (
    CPU,
    FAILED,
    OK,
    Row,
    Setup,
    attribute_action,
    check_row,
    note_row,
    predict_action,
    save_noise,
)
from affectkit.models.batch_norm import fuse_batch_norms
from affectkit.models.device import DEVICE_PRECISIONS
from affectkit.recording import open_recording, save_recording

if TYPE_CHECKING:
    from affectkit.training.recipe import Recipe

PREDICTION, ATTRIBUTION, LOSS = 1e-3, 1e-2, 0.02  # largest differences; attribution: relative
ROUNDED = {"tf32": 0.02, "bf16": 0.1, "fp16": 0.02}  # of predictions in other precisions
SMALL_CHUNK = 50
FREE_MEMORY = 1e9  # bytes that are left when a chunk must not fit


def check_predictions(setup: Setup) -> Iterator[Row]:
    """Predictions equal those of the CPU, and are near them in other precisions."""
    model, frames = fuse_batch_norms(setup.model(), setup.size), setup.cpu_frames
    whole, chunks = setup._replace(chunk=frames), setup._replace(chunk=SMALL_CHUNK)
    expected = predict_action(whole, model, CPU, frames, "32")()["prediction"].values
    for precision in DEVICE_PRECISIONS[setup.device.type]:
        result = predict_action(chunks, model, setup.device, frames, precision)()
        difference = np.abs(result["prediction"].values - expected).max()
        most = ROUNDED.get(precision, PREDICTION)
        what = f"prediction in {precision} equals that of the CPU in 32"
        yield check_row(what, float(difference), most)


def check_attributions(setup: Setup) -> Iterator[Row]:
    """Attributions equal those of the CPU."""
    frames = setup.cpu_frames // 2
    whole, chunks = setup._replace(chunk=2 * frames), setup._replace(chunk=SMALL_CHUNK)
    expected = attribute_action(whole, setup.model(), CPU, frames)()
    result = attribute_action(chunks, setup.model(), setup.device, frames)()
    difference = (result - expected).abs().max() / expected.abs().max()
    what = "attribution equals that of the CPU, relative to the largest"
    yield check_row(what, float(difference), ATTRIBUTION)


def check_evaluation_mode(setup: Setup) -> Iterator[Row]:
    """RNNs can be attributed in evaluation mode, without a change of weights or buffers."""
    for temporal in ("gru", "lstm"):
        model = setup.model(temporal).to(setup.device)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        maps = attribute_action(setup, model, setup.device, SMALL_CHUNK)()
        found = bool(maps.isfinite().all() and maps.abs().amax(0).flatten(1).amax(1).all())
        same = all(value.equal(before[name]) for name, value in model.state_dict().items())
        evaluated = not any(module.training for module in model.modules())
        what = f"a {temporal} is attributed in evaluation mode, weights and buffers unchanged"
        yield note_row(what, OK if found and same and evaluated else FAILED)


def check_memory(setup: Setup) -> Iterator[Row]:
    """A chunk that does not fit into the memory of the GPU is split, with the same result."""
    if setup.device.type != "cuda":
        return
    model = fuse_batch_norms(setup.model(), setup.size).to(setup.device)
    expected = predict_action(setup, model, setup.device, setup.frames, "32")()["prediction"]
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(setup.device).total_memory
    allowed = (torch.cuda.memory_reserved(setup.device) + FREE_MEMORY) / total
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed), setup.device)
    try:
        whole = setup._replace(chunk=setup.frames)
        result = predict_action(whole, model, setup.device, setup.frames, "32")()["prediction"]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, setup.device)
    what = f"{setup.frames} frames at once in {FREE_MEMORY / 1e9:g} GB equal short chunks"
    yield check_row(what, float(np.abs(result - expected).max()), PREDICTION)


def check_resume(setup: Setup) -> Iterator[Row]:
    """Training that was interrupted continues on the device with the loss of a whole training."""
    from affectkit.training.fit import fit

    recordings = setup.folder / "recordings"
    for number, split in enumerate(("train", "train", "train", "validation")):
        save_training_noise(recordings / f"person_{number}.zarr", split, setup.size)
    device = str(setup.device)
    whole = fit(_recipe(), recordings, setup.folder / "whole", device=device)
    for first in dict.fromkeys((device, "cpu")):
        run = setup.folder / f"from_{first}"
        try:
            fit(_recipe(), recordings, run, device=first, on_epoch=_interrupt)
        except KeyboardInterrupt:
            resumed = fit(_recipe(), recordings, run, device=device)
            difference = max(
                abs(one["loss"] - other["loss"]) for one, other in zip(resumed, whole, strict=True)
            )
            what = f"training from {first} resumes on {device} with the loss of a whole training"
            yield check_row(what, difference, LOSS)


def _interrupt(row: dict[str, float]) -> None:
    if row["epoch"] == 1:
        raise KeyboardInterrupt


def _recipe() -> "Recipe":
    from affectkit.training.recipe import read_recipe

    return read_recipe(
        "demo",
        model={"backbone": "test_resnet"},
        windows={"batch": 3, "length": 20, "input_size": 32},
        training={"epochs": 2},
    )


def save_training_noise(path: Path, split: str, size: int) -> None:
    """Write a recording of noise for one split; each is one subject."""
    save_noise(path, 60, size)
    recording = open_recording(path).load()
    attrs = {"split": split, "subject": path.stem, "dataset": "synthetic"}
    save_recording(recording.assign_attrs(attrs), path, overwrite=True)


CHECKS: dict[str, Callable[[Setup], Iterator[Row]]] = {
    "predictions": check_predictions,
    "attributions": check_attributions,
    "evaluation mode": check_evaluation_mode,
    "small memory": check_memory,
    "resume": check_resume,
}
