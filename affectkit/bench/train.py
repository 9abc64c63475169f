"""A training step: windows read from stored recordings, against tensors that are in memory."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from affectkit.bench.timing import ratios, take_turns
from affectkit.recording import make_recording, open_recording, save_recording
from affectkit.training.fit import build_learner, train_step
from affectkit.training.recipe import read_recipe
from affectkit.training.sampling import plan_epoch
from affectkit.training.windows import open_source, read_batches

RECORDINGS, FRAMES, SIZE, STEPS = 8, 640, 96, 8


def bench_train() -> list[dict[str, Any]]:
    """Time the steps of the demo's recipe, reading, augmentation and all."""
    recipe = read_recipe("demo")
    length = recipe.windows.length
    learner = build_learner(recipe, 1000)
    with TemporaryDirectory() as folder:
        sources = [open_source(_noise(Path(folder), number)) for number in range(RECORDINGS)]
        planned = plan_epoch(sources, recipe.windows, (0,))[:STEPS]
        in_memory = list(read_batches(sources, planned, length))

        def stored() -> None:
            for loaded in read_batches(sources, planned, length):
                train_step(learner, recipe, loaded)

        def memory() -> None:
            for loaded in in_memory:
                train_step(learner, recipe, loaded)

        seconds = take_turns({"tensors in memory": memory, "stored recordings": stored}, turns=3)
    return ratios(seconds, "tensors in memory")


def _noise(folder: Path, number: int) -> xr.Dataset:
    random = np.random.default_rng(number)
    face = random.integers(0, 256, (FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    box = np.tile(np.array([0, 0, SIZE, SIZE], np.float32), (FRAMES, 1))
    affect = random.uniform(-1, 1, (FRAMES, 2)).astype(np.float32)
    recording = make_recording(
        np.arange(FRAMES) / 25.0,
        {"annotation": affect, "box": box, "crop_box": box},
        {"recording": f"noise_{number}"},
    )
    path = folder / f"noise_{number}.zarr"
    save_recording(recording, path, faces=[face])
    return open_recording(path)
