"""A GPU against the CPU and against the bare backbone, and whether all give the same results.

Everything runs in one process, with no files but noise in a temporary folder, and within a time
limit: what does not fit is skipped. First come the checks (`bench.gpu_checks`), then the speeds
(`bench.gpu_speed`):

- prediction from disk, in each precision, against the backbone alone on tensors in the memory of
  the device, in batches of the same size, in 32 bit;
- attribution of every frame against the same backbone;
- both against the same on the CPU;
- training steps of the loop of `fit`: TF32, bf16, contiguous tensors and `torch.compile` against 32
  bit and the channels-last tensors that `fit` uses.

On a computer without a CUDA GPU the same is done on the CPU, with a smaller network, fewer frames
and without what needs a GPU.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from affectkit.bench.gpu_checks import CHECKS
from affectkit.bench.gpu_setup import CPU, FAILED, Row, Setup, note_row
from affectkit.bench.gpu_speed import SPEEDS, measure_compiled

LIMITS = {"cuda": 180.0, "cpu": 90.0}  # seconds after which no further part is started
COMPILE_SECONDS = 60.0  # that compiling a network can take


def gpu_setup(folder: Path) -> Setup:
    """The sizes for a CUDA GPU: below 4 GB of its memory."""
    device = torch.device("cuda")
    return Setup(device, folder, "resnet18", 112, 4096, 256, 256, (4, 80), 5)


def cpu_setup(folder: Path) -> Setup:
    """The sizes for a CPU with two cores."""
    return Setup(CPU, folder, "mobilenetv3_small_050", 96, 128, 64, 64, (2, 20), 1)


def bench_gpu() -> list[Row]:
    """Check and time the GPU; without one, the CPU."""
    with TemporaryDirectory() as folder:
        has_gpu = torch.cuda.is_available()
        return run_parts((gpu_setup if has_gpu else cpu_setup)(Path(folder)))


def run_parts(setup: Setup, limit: float | None = None) -> list[Row]:
    """The rows of all checks and measurements; a part that fails gives a row that says so."""
    start = time.monotonic()
    limit = LIMITS[setup.device.type] if limit is None else limit
    rows = [device_row(setup.device)]
    for name, part in (CHECKS | SPEEDS).items():
        if part is measure_compiled and setup.device.type != "cuda":
            continue  # compiling for the CPU would need a compiler
        reserve = COMPILE_SECONDS if part is measure_compiled else 0.0
        if time.monotonic() - start + reserve > limit:
            rows.append(note_row(name, "skipped: the time is used up"))
            continue
        try:
            rows += part(setup)
        except ModuleNotFoundError as error:
            rows.append(note_row(name, f"skipped: {error.name} is not installed"))
        except Exception as error:  # a part that fails must not hide the others
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            rows.append(note_row(name, f"{FAILED}: {reason[:200]}"))
    return rows


def device_row(device: torch.device) -> Row:
    """The first row: what is measured."""
    versions = f"torch {torch.__version__}"
    if device.type == "cpu":
        threads = f"the CPU, {torch.get_num_threads()} threads"
        return note_row(f"no CUDA GPU was found: {threads}, {versions}", "")
    name = torch.cuda.get_device_name(device)
    return note_row(f"{name}, CUDA {torch.version.cuda}, {versions}", "")
