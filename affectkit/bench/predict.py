"""Predicting a stored recording: its speed beside the bare backbone's, and its memory.

The backbone is timed on the same faces as normalised tensors that stand in memory before the clock
starts, in batches as large as the chunks that are streamed, laid out in memory as these are.
Streaming reads the recording, normalises, runs CNN and memory and gives labelled values; as
`predict` does, it folds the backbone's batch norms into its convolutions. The net is the demo's.

Memory is the resident size of a new process that streams a recording of 101,000 small faces through
a tiny net, when it comes to frame 2,000 and to frame 100,000.
"""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from affectkit.bench.timing import take_turns
from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.folding import fold_norms
from affectkit.recording import FACE_CHUNK, make_recording, open_recording, save_recording
from affectkit.training.checkpoint import build_model
from affectkit.training.recipe import read_recipe
from affectkit.training.stream import predict_frames

FRAMES, SIZE, CHUNK = 2048, 96, 256  # CHUNK is what `predict` takes
LONG, SMALL = 101_000, 32
EARLY, LATE = 2_000, 100_000

WATCHED = """
import json, os, sys
from pathlib import Path
import torch
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.recording import open_recording
from affectkit.training.stream import predict_frames

def resident(*seen):
    global frames
    frames += len(seen[2])
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    table.append((frames, pages * os.sysconf("SC_PAGE_SIZE")))

frames, table = 0, []
model = CnnRnn("test_resnet", "gru", input_size=int(sys.argv[2])).eval()
model.cnn.register_forward_hook(resident)
predict_frames(model, open_recording(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
print(json.dumps(table))
"""


def bench_predict() -> list[dict[str, Any]]:
    """Time the demo's net on 96 pixels, and watch a long recording."""
    with TemporaryDirectory() as folder:
        recipe = read_recipe("demo", [f"windows.input_size={SIZE}"])
        torch.manual_seed(0)
        return [speed(build_model(recipe).eval(), Path(folder)), memory(Path(folder))]


def store(path: Path, frames: int, size: int) -> Path:
    """A recording of noise; every 64 frames are the same ones."""
    needed = 2 * frames * size**2 * 3
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise AffectkitError(
            f"{path.parent} has {free / 1e6:.0f} MB free, the benchmark wants "
            f"{needed / 1e6:.0f} MB; make room, or set TMPDIR to another folder"
        )
    random = np.random.default_rng(0)
    square = np.tile(np.array([0, 0, size, size], np.float32), (frames, 1))
    points = np.tile(random.uniform(0, size, (68, 2)).astype(np.float32), (frames, 1, 1))
    variables = {"box": square, "crop_box": square, "landmark": points}
    recording = make_recording(np.arange(frames) / 25, variables, {"recording": path.stem})
    faces = random.integers(0, 256, (FACE_CHUNK, size, size, 3), np.uint8)
    pieces = (faces[: frames - start] for start in range(0, frames, FACE_CHUNK))
    save_recording(recording, path, faces=pieces)
    return path


def speed(
    model: CnnRnn, folder: Path, frames: int = FRAMES, size: int = SIZE, turns: int = 9
) -> dict[str, Any]:
    """Streaming from disk, against the backbone alone on tensors in memory."""
    recording = open_recording(store(folder / "short.zarr", frames, size))
    face = torch.from_numpy(recording["face"].values)
    batches = [model.normalise(piece) for piece in torch.split(face, CHUNK)]
    backbone = model.cnn
    folded = fold_norms(model, size)

    def stream() -> None:
        predict_frames(folded, recording, size, CHUNK)

    @torch.inference_mode()
    def bare() -> None:
        for batch in batches:
            backbone(batch)

    taken = take_turns({"bare": bare, "stream": stream}, turns=turns)
    return {
        "what": f"streaming prediction from disk: {frames / taken['stream']:.0f} frames/s",
        "compared": f"bare backbone, tensors in memory: {frames / taken['bare']:.0f} frames/s",
        "ratio": f"{taken['bare'] / taken['stream']:.2f}",
        "aim": "at least 0.9",
    }


def memory(
    folder: Path, frames: int = LONG, early: int = EARLY, late: int = LATE
) -> dict[str, Any]:
    """The resident size late in a long recording, against that early on."""
    aim = "at most 1.05"
    if not Path("/proc/self/statm").exists():
        compared = "not measured: /proc tells it, on Linux only"
        return {"what": "memory", "compared": compared, "ratio": f"{math.nan:.2f}", "aim": aim}
    path = store(folder / "long.zarr", frames, SMALL)
    command = [sys.executable, "-c", WATCHED, str(path), str(SMALL), str(CHUNK)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    frame, size = np.array(json.loads(done.stdout), np.float64).T
    first, last = (float(np.interp(at, frame, size)) / 1e6 for at in (early, late))
    return {
        "what": f"memory at frame {late:,}: {last:.0f} MB",
        "compared": f"frame {early:,}: {first:.0f} MB",
        "ratio": f"{last / first:.3f}",
        "aim": aim,
    }
