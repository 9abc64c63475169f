"""What the parts of `bench.gpu` share: device and sizes, actions, and rows of the table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from affectkit.attribution.gradients import own_frame_gradients
from affectkit.bench.measuring import comparison_row
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import PRECISIONS, evaluation_mode
from affectkit.models.inputs import read_chunks
from affectkit.models.prediction import predict_frames
from affectkit.recording import make_recording, open_recording, save_recording

CPU = torch.device("cpu")
OK, FAILED = "ok", "FAILED"

Row = dict[str, Any]


class Setup(NamedTuple):
    """The device, and the size of everything."""

    device: torch.device
    folder: Path
    backbone: str
    size: int  # side of the input images
    frames: int  # of the recording for the device
    cpu_frames: int  # of the recording that CPU and GPU are compared on
    chunk: int
    windows: tuple[int, int]  # of a training step: their number, and the frames of each
    turns: int

    def recording(self, frames: int) -> xr.Dataset:
        """A recording of noise."""
        path = self.folder / f"noise_{frames}.zarr"
        if not path.exists():
            save_noise(path, frames, self.size)
        return open_recording(path)

    def model(self, temporal: str = "gru") -> CnnRnn:
        """A network with random weights, the same in each call, on the CPU."""
        torch.manual_seed(0)
        keys: dict[str, Any] = {"fc": (64,), "hidden": 64, "layers": 2, "input_size": self.size}
        model = CnnRnn(self.backbone, temporal, **keys).eval()
        model.head.weight.data *= 5  # otherwise all predictions are near 0, and so are differences
        return model


def save_noise(path: Path, frames: int, size: int) -> None:
    """Write a recording of noise, with random annotations."""
    random = np.random.default_rng(0)
    square = np.tile(np.array([0, 0, size, size], np.float32), (frames, 1))
    points = random.uniform(0, size, (68, 2)).astype(np.float32)
    variables = {
        "annotation": random.uniform(-1, 1, (frames, 2)).astype(np.float32),
        "box": square,
        "crop_box": square,
        "landmark": np.tile(points, (frames, 1, 1)),
    }
    recording = make_recording(np.arange(frames) / 25, variables, {"recording": path.stem})
    faces = random.integers(0, 256, (frames, size, size, 3), np.uint8)
    save_recording(recording, path, faces=[faces])


def predict_action(
    setup: Setup, model: CnnRnn, device: torch.device, frames: int, precision: str
) -> Callable[[], xr.Dataset]:
    """Predict a recording; returns when the result is in the memory of the CPU."""
    recording, autocast = setup.recording(frames), PRECISIONS[precision]

    def predict() -> xr.Dataset:
        with evaluation_mode(model, device, tf32=precision == "tf32"):
            return predict_frames(model, recording, setup.size, setup.chunk, autocast=autocast)

    return predict


def attribute_action(
    setup: Setup, model: CnnRnn, device: torch.device, frames: int
) -> Callable[[], Tensor]:
    """Attribute a recording: (affect, frame, row, col); chunks are copied to the CPU's memory."""
    recording = setup.recording(frames)

    def attribute() -> Tensor:
        with evaluation_mode(model, device):
            chunks = read_chunks(model, recording, setup.size, setup.chunk // 2)
            gradients = own_frame_gradients(model, chunks)
            maps = [(image * gradient).sum(2).cpu() for image, gradient in gradients]
        return torch.cat(maps, 1)

    return attribute


def note_row(what: str, result: str) -> Row:
    """A row without numbers."""
    return {"measurement": what, "baseline": "", "ratio": "", "target": "", "result": result}


def speed_row(what: str, baseline: str, ratio: float, target: str = "") -> Row:
    """A row with a ratio of speeds; speeds are no checks."""
    return comparison_row(what, baseline, ratio, target) | {"result": ""}


def check_row(what: str, value: float, most: float) -> Row:
    """A row of a check: a difference that may not be larger than `most`; NaN fails."""
    return {
        "measurement": what,
        "baseline": f"difference {value:.2g}",
        "ratio": "",
        "target": f"at most {most:g}",
        "result": OK if value <= most else FAILED,
    }
