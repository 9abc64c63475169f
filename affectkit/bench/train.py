"""Training from stored recordings: the speed of whole steps, and of reading alone.

The steps are one epoch of the training loop: plan the windows, read them one batch ahead, augment,
normalise, forward, loss, backward, clip, update the weights, check that all values are finite. The
baseline is the same steps, with the same random draws, on the same batches as uint8 tensors that
are in memory before timing starts. The model is that of the demo recipe, the smallest, which
leaves the least time for reading.

Reading ends with normalised float tensors of 80 frames, without augmentation. The baseline reads
the same faces like public code for this task: one JPEG file per frame, opened with Pillow,
normalised one by one with numpy and stacked (torchvision's `ToTensor` and `Normalize` take longer).
Both use one thread and do not read ahead.

All files have been read before, so neither waits for a disk.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from affectkit.bench.measuring import comparison_row, time_alternately
from affectkit.datasets import synthetic
from affectkit.models.normalisation import IMAGENET, normalise
from affectkit.recording import make_recording, open_recording, save_recording
from affectkit.training.checkpoint import TrainingState
from affectkit.training.fit import train_epoch
from affectkit.training.learner import Learner, build_learner
from affectkit.training.recipe import Recipe, read_recipe
from affectkit.training.sampling import plan_epoch
from affectkit.training.step import train_step
from affectkit.training.windows import (
    Batch,
    WindowSource,
    open_window_source,
    read_batch,
    read_batches,
)
from affectkit.video import read_frames

SUBJECTS, SECONDS, FPS, SIZE = 4, 16, 25, 96
LENGTH, QUALITY = 80, 95  # of a JPEG as OpenCV writes it

Faces = NDArray[np.uint8]  # (frame, row, col, channel)


def bench_train() -> list[dict[str, Any]]:
    """Time the training steps of the demo recipe, and reading."""
    with TemporaryDirectory() as folder:
        faces = list(synthetic_faces(Path(folder), (SUBJECTS, 0, 0), SECONDS))
        sources = [store_faces(Path(folder), n, each) for n, each in enumerate(faces)]
        return [
            measure_steps(sources, read_recipe("demo")),
            measure_reading(sources, faces, Path(folder)),
        ]


def synthetic_faces(
    folder: Path, subjects: tuple[int, int, int], seconds: float
) -> Iterator[Faces]:
    """The frames of synthetic videos, in which the face fills the image."""
    root = synthetic.write_synthetic(
        folder / "synthetic", subjects=subjects, seconds=seconds, fps=FPS, size=SIZE
    )
    for video in sorted(root.rglob("*.mp4")):
        yield np.concatenate([rgb for _, rgb in read_frames(video)])


def store_faces(folder: Path, number: int, faces: Faces) -> WindowSource:
    """Write a recording of these faces with random annotations."""
    count = len(faces)
    affect = np.random.default_rng(number).uniform(-1, 1, (count, 2)).astype(np.float32)
    square = np.tile(np.array([0, 0, SIZE, SIZE], np.float32), (count, 1))
    recording = make_recording(
        np.arange(count) / FPS,
        {"annotation": affect, "box": square, "crop_box": square},
        {"recording": f"subject_{number}"},
    )
    path = folder / f"subject_{number}.zarr"
    save_recording(recording, path, faces=[faces])
    return open_window_source(open_recording(path))


def measure_steps(
    sources: Sequence[WindowSource], recipe: Recipe, turns: int = 25
) -> dict[str, Any]:
    """The steps of an epoch from disk, compared with the same steps on batches in memory."""
    learner = build_learner(recipe, 1000)
    planned = plan_epoch(sources, recipe.windows, (recipe.seed, 0))
    in_memory = list(read_batches(sources, planned, recipe.windows.length))
    seconds = time_alternately(
        {
            "memory": lambda: train_on_tensors(learner, recipe, in_memory),
            "stored": lambda: train_epoch(learner, recipe, sources, TrainingState()),
        },
        turns=turns,
    )
    step = {name: 1000 * value / len(planned) for name, value in seconds.items()}
    return comparison_row(
        f"training step from stored recordings: {step['stored']:.0f} ms",
        f"from tensors in memory: {step['memory']:.0f} ms",
        step["stored"] / step["memory"],
        "at most 1.05",
        digits=3,
    )


def train_on_tensors(learner: Learner, recipe: Recipe, batches: Sequence[Batch]) -> None:
    """The steps of the first epoch, with the random draws of `train_epoch`."""
    for number, batch in enumerate(batches, start=1):
        torch.manual_seed(hash((recipe.seed, number)))
        train_step(learner, recipe, batch)


def measure_reading(
    sources: Sequence[WindowSource], faces: Sequence[Faces], folder: Path, turns: int = 7
) -> dict[str, Any]:
    """Windows read from recordings, compared with the same faces read from JPEG files."""
    settings = read_recipe("demo", windows={"length": LENGTH, "batch": 1}).windows
    planned = plan_epoch(sources, settings, (0,))
    paths = [write_jpegs(folder / f"jpeg_{n}", each) for n, each in enumerate(faces)]
    window_paths = [paths[w.recording][w.start : w.stop] for row in planned for w in row]

    def stored() -> None:
        for windows in planned:
            normalise(read_batch(sources, windows, LENGTH).face, IMAGENET)

    def jpegs() -> None:
        for each in window_paths:
            read_jpegs(each)

    with one_thread():
        seconds = time_alternately({"stored": stored, "jpegs": jpegs}, turns=turns)
    frames = sum(map(len, window_paths))
    return comparison_row(
        f"windows from stored recordings: {frames / seconds['stored']:.0f} frames/s per core",
        f"one JPEG per frame, Pillow: {frames / seconds['jpegs']:.0f} frames/s per core",
        seconds["jpegs"] / seconds["stored"],
        "at least 10",
        digits=1,
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def write_jpegs(folder: Path, faces: Faces) -> list[Path]:
    """Write one file per frame, like published datasets of crops."""
    folder.mkdir()
    paths = [folder / f"{number + 1:05d}.jpg" for number in range(len(faces))]
    for path, face in zip(paths, faces, strict=True):
        Image.fromarray(face).save(path, quality=QUALITY)
    return paths


def read_jpegs(paths: Sequence[Path]) -> Tensor:
    """Normalised floats (N, C, H, W), like the result of `normalise` on stored faces."""
    mean, std = (np.array(each, np.float32) for each in (IMAGENET.mean, IMAGENET.std))
    images = []
    for path in paths:
        with Image.open(path) as file:
            rgb = np.asarray(file.convert("RGB"), np.float32)
        images.append(((rgb / np.float32(255) - mean) / std).transpose(2, 0, 1))
    return torch.from_numpy(np.stack(images))
