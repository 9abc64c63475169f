"""Training from stored recordings: whole steps, and reading alone.

Steps are an epoch of the training loop itself: plan the windows, read them one batch ahead, draw
and apply the augmentation, normalise, forward, loss, backward, clip, move the weights, look whether
all is finite. They are timed beside the same steps, with the same random draws, on the same batches
as uint8 tensors that stand in memory before the clock starts. The demo's net is the smallest that
is shipped, and so the one that leaves reading the least time.

Reading ends at normalised float tensors of 80 frames, without augmentation. It is timed beside
reading the same faces the way public code for this task does: one JPEG file a frame, opened with
Pillow, normalised one by one with numpy and stacked (torchvision's `ToTensor` and `Normalize` take
longer). Either has one thread, and nothing is read ahead.

All files have been read before, so that neither waits for a disk.
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

from affectkit.bench.timing import take_turns
from affectkit.datasets import synthetic
from affectkit.models.backbones import IMAGENET, normalise
from affectkit.recording import make_recording, open_recording, save_recording
from affectkit.training.fit import train_epoch
from affectkit.training.learner import Learner, build_learner
from affectkit.training.place import Place
from affectkit.training.recipe import Recipe, read_recipe
from affectkit.training.sampling import plan_epoch
from affectkit.training.step import train_step
from affectkit.training.windows import Batch, Source, open_source, read_batch, read_batches
from affectkit.video import read_frames

PEOPLE, SECONDS, FPS, SIZE = 4, 16, 25, 96
LENGTH, QUALITY = 80, 95  # of a JPEG as OpenCV writes it

Faces = NDArray[np.uint8]  # (frame, row, col, channel)


def bench_train() -> list[dict[str, Any]]:
    """Time the steps of the demo's recipe, and reading."""
    with TemporaryDirectory() as folder:
        faces = list(draw_faces(Path(folder), (PEOPLE, 0, 0), SECONDS))
        sources = [store_faces(Path(folder), n, each) for n, each in enumerate(faces)]
        return [steps(sources, read_recipe("demo")), reading(sources, faces, Path(folder))]


def draw_faces(folder: Path, people: tuple[int, int, int], seconds: float) -> Iterator[Faces]:
    """The frames of drawn people, who fill the picture."""
    root = synthetic.write(folder / "people", people=people, seconds=seconds, fps=FPS, size=SIZE)
    for video in sorted(root.rglob("*.mp4")):
        yield np.concatenate([rgb for _, rgb in read_frames(video)])


def store_faces(folder: Path, number: int, faces: Faces) -> Source:
    """A recording of these faces, with annotations that mean nothing."""
    count = len(faces)
    affect = np.random.default_rng(number).uniform(-1, 1, (count, 2)).astype(np.float32)
    square = np.tile(np.array([0, 0, SIZE, SIZE], np.float32), (count, 1))
    recording = make_recording(
        np.arange(count) / FPS,
        {"annotation": affect, "box": square, "crop_box": square},
        {"recording": f"person_{number}"},
    )
    path = folder / f"person_{number}.zarr"
    save_recording(recording, path, faces=[faces])
    return open_source(open_recording(path))


def steps(sources: Sequence[Source], recipe: Recipe, turns: int = 25) -> dict[str, Any]:
    """The steps of an epoch from disk, against the same steps on batches in memory."""
    learner = build_learner(recipe, 1000)
    planned = plan_epoch(sources, recipe.windows, (recipe.seed, 0))
    in_memory = list(read_batches(sources, planned, recipe.windows.length))
    taken = take_turns(
        {
            "memory": lambda: train_on_tensors(learner, recipe, in_memory),
            "stored": lambda: train_epoch(learner, recipe, sources, Place(), lambda: None),
        },
        turns=turns,
    )
    each = {name: 1000 * seconds / len(planned) for name, seconds in taken.items()}
    return {
        "what": f"training step from stored recordings: {each['stored']:.0f} ms",
        "compared": f"from tensors in memory: {each['memory']:.0f} ms",
        "ratio": f"{each['stored'] / each['memory']:.3f}",
        "aim": "at most 1.05",
    }


def train_on_tensors(learner: Learner, recipe: Recipe, batches: Sequence[Batch]) -> None:
    """The steps of the first epoch, drawn as `train_epoch` draws them."""
    for number, batch in enumerate(batches, start=1):
        torch.manual_seed(hash((recipe.seed, number)))
        train_step(learner, recipe, batch)


def reading(
    sources: Sequence[Source], faces: Sequence[Faces], folder: Path, turns: int = 7
) -> dict[str, Any]:
    """Windows read from recordings, against the same faces read from a JPEG each."""
    settings = read_recipe("demo", [f"windows.length={LENGTH}", "windows.batch=1"]).windows
    planned = plan_epoch(sources, settings, (0,))
    paths = [write_jpegs(folder / f"jpeg_{n}", each) for n, each in enumerate(faces)]
    pieces = [paths[w.recording][w.start : w.stop] for row in planned for w in row]

    def stored() -> None:
        for windows in planned:
            normalise(read_batch(sources, windows, LENGTH).face, IMAGENET)

    def jpegs() -> None:
        for piece in pieces:
            read_jpegs(piece)

    with one_thread():
        taken = take_turns({"stored": stored, "jpegs": jpegs}, turns=turns)
    frames = sum(map(len, pieces))
    return {
        "what": f"windows from stored recordings: {frames / taken['stored']:.0f} frames/s a core",
        "compared": f"a JPEG a frame, Pillow: {frames / taken['jpegs']:.0f} frames/s a core",
        "ratio": f"{taken['jpegs'] / taken['stored']:.1f}",
        "aim": "at least 10",
    }


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def write_jpegs(folder: Path, faces: Faces) -> list[Path]:
    """One file a frame, as datasets of crops come."""
    folder.mkdir()
    paths = [folder / f"{number + 1:05d}.jpg" for number in range(len(faces))]
    for path, face in zip(paths, faces, strict=True):
        Image.fromarray(face).save(path, quality=QUALITY)
    return paths


def read_jpegs(paths: Sequence[Path]) -> Tensor:
    """Normalised floats (N, C, H, W), as `normalise` makes them of stored faces."""
    mean, std = (np.array(each, np.float32) for each in (IMAGENET.mean, IMAGENET.std))
    pictures = []
    for path in paths:
        with Image.open(path) as file:
            rgb = np.asarray(file.convert("RGB"), np.float32)
        pictures.append(((rgb / np.float32(255) - mean) / std).transpose(2, 0, 1))
    return torch.from_numpy(np.stack(pictures))
