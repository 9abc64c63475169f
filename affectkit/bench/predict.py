"""Prediction of a stored recording: its speed compared with the backbone alone, and its memory use.

The backbone is timed on the same faces, as normalised tensors that are in memory before timing
starts, in batches of the same size and memory layout as the chunks of the prediction. The
prediction reads the recording, normalises, runs CNN and RNN and returns labelled values; like
`predict`, it fuses the batch norms of the backbone into its convolutions. The model is that of the
demo recipe.

Memory use is the resident size of a new process that predicts a recording of 101,000 small faces
with a tiny model, at frame 2,000 and at frame 100,000.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from affectkit.bench.measuring import (
    comparison_row,
    memory_is_measurable,
    record_memory,
    time_alternately,
    unmeasured_memory_row,
)
from affectkit.errors import AffectkitError
from affectkit.models.batch_norm import fuse_batch_norms
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.prediction import predict_frames
from affectkit.recording import FACE_CHUNK, make_recording, open_recording, save_recording
from affectkit.training.model import build_model
from affectkit.training.recipe import read_recipe

FRAMES, SIZE, CHUNK = 2048, 96, 256  # CHUNK is the default of `predict`
LONG_FRAMES, SMALL_SIZE = 101_000, 32
EARLY, LATE = 2_000, 100_000

MEMORY_SCRIPT = """
import json, os, sys
from pathlib import Path
import torch
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.recording import open_recording
from affectkit.models.prediction import predict_frames

def record(module, inputs, output):
    global frames
    frames += len(output)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    table.append((frames, pages * os.sysconf("SC_PAGE_SIZE")))

frames, table = 0, []
model = CnnRnn("test_resnet", "gru", input_size=int(sys.argv[2])).eval()
model.cnn.register_forward_hook(record)
predict_frames(model, open_recording(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
print(json.dumps(table))
"""


def bench_predict() -> list[dict[str, Any]]:
    """Time the demo's model on faces of 96 pixels, and measure memory on a long recording."""
    with TemporaryDirectory() as folder:
        recipe = read_recipe("demo", windows={"input_size": SIZE})
        torch.manual_seed(0)
        return [
            measure_speed(build_model(recipe).eval(), Path(folder)),
            measure_memory(Path(folder)),
        ]


def write_noise_recording(path: Path, frames: int, size: int) -> Path:
    """Write a recording of noise, in which the same 64 frames repeat."""
    needed = 2 * frames * size**2 * 3
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise AffectkitError(
            f"{path.parent} has {free / 1e6:.0f} MB free, the benchmark needs "
            f"{needed / 1e6:.0f} MB; free some space, or set TMPDIR to another folder"
        )
    random = np.random.default_rng(0)
    square = np.tile(np.array([0, 0, size, size], np.float32), (frames, 1))
    points = np.tile(random.uniform(0, size, (68, 2)).astype(np.float32), (frames, 1, 1))
    variables = {"box": square, "crop_box": square, "landmark": points}
    recording = make_recording(np.arange(frames) / 25, variables, {"recording": path.stem})
    faces = random.integers(0, 256, (FACE_CHUNK, size, size, 3), np.uint8)
    chunks = (faces[: frames - start] for start in range(0, frames, FACE_CHUNK))
    save_recording(recording, path, faces=chunks)
    return path


def measure_speed(
    model: CnnRnn, folder: Path, frames: int = FRAMES, size: int = SIZE, turns: int = 9
) -> dict[str, Any]:
    """Prediction from disk, compared with the backbone alone on tensors in memory."""
    recording = open_recording(write_noise_recording(folder / "short.zarr", frames, size))
    face = torch.from_numpy(recording["face"].values)
    batches = [model.normalise(batch) for batch in torch.split(face, CHUNK)]
    cnn = model.cnn
    fused = fuse_batch_norms(model, size)

    def predict() -> None:
        predict_frames(fused, recording, size, CHUNK)

    @torch.inference_mode()
    def backbone() -> None:
        for batch in batches:
            cnn(batch)

    seconds = time_alternately({"backbone": backbone, "predict": predict}, turns=turns)
    return comparison_row(
        f"prediction from disk: {frames / seconds['predict']:.0f} frames/s",
        f"backbone alone, tensors in memory: {frames / seconds['backbone']:.0f} frames/s",
        seconds["backbone"] / seconds["predict"],
        "at least 0.9",
    )


def measure_memory(
    folder: Path, frames: int = LONG_FRAMES, early: int = EARLY, late: int = LATE
) -> dict[str, Any]:
    """The resident size late in a long recording, compared with that at its beginning."""
    target = "at most 1.05"
    if not memory_is_measurable():
        return unmeasured_memory_row(target)
    path = write_noise_recording(folder / "long.zarr", frames, SMALL_SIZE)
    frame, size = record_memory(MEMORY_SCRIPT, path, SMALL_SIZE, CHUNK).T
    first, last = (float(np.interp(at, frame, size)) / 1e6 for at in (early, late))
    return comparison_row(
        f"memory at frame {late:,}: {last:.0f} MB",
        f"frame {early:,}: {first:.0f} MB",
        last / first,
        target,
        digits=3,
    )
