"""The device and the precision of a computation; and what to do when its memory is too small."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from affectkit.errors import AffectkitError, unknown

AUTO = "auto"
# parts of the messages by which torch and its libraries say that memory is too small
OUT_OF_MEMORY = ("out of memory", "allocate memory", "ALLOC_FAILED")

# precisions of a prediction, and the type that autocast uses in the CNN
PRECISIONS: dict[str, torch.dtype | None] = {
    "32": None,
    "tf32": None,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
DEVICE_PRECISIONS = {
    "cpu": ("32", "bf16"),
    "mps": ("32", "bf16", "fp16"),
    "cuda": tuple(PRECISIONS),
}


def resolve_device(device: str) -> torch.device:
    """Find a device by name.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps", or "auto": a GPU if there is one, otherwise the CPU.

    Raises:
        AffectkitError: the name is unknown, or this computer has no such device.
    """
    if device == AUTO:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError:
        found = torch.device("meta")
    if found.type not in DEVICE_PRECISIONS:
        raise AffectkitError(
            f"unknown device {device!r}: expected auto, cpu, cuda, cuda:1 (the second GPU) or mps"
        )
    count = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[found.type]
    if (found.index or 0) >= count:
        available = f"it has {count} {found.type} device{'s' * (count != 1)}"
        raise AffectkitError(
            f"device {device!r} is not available on this computer ({available}); use 'auto' or "
            "'cpu'"
        )
    return found


def check_precision(precision: str, device: torch.device) -> None:
    """Check that a device can compute in a precision.

    Raises:
        AffectkitError: the precision is unknown, or the device cannot.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    possible = DEVICE_PRECISIONS[device.type]
    if precision not in possible:
        raise AffectkitError(
            f"precision {precision!r} is not available on the device {device.type!r}: expected "
            f"{' or '.join(possible)}, or another device"
        )


@contextmanager
def evaluation_mode(
    model: nn.Module, device: torch.device, *, tf32: bool = False
) -> Iterator[None]:
    """Move a model to a device and into evaluation mode; afterwards it is as before.

    Args:
        model: a model.
        device: where to.
        tf32: see `allow_tf32`.
    """
    before = next(model.parameters()).device
    training = {module: module.training for module in model.modules()}
    model.to(device).eval()
    try:
        with allow_tf32(tf32):
            yield
    finally:
        model.to(before)
        for module, mode in training.items():
            module.training = mode


@contextmanager
def allow_tf32(allowed: bool) -> Iterator[None]:
    """Whether convolutions and RNNs on a GPU round their inputs to 10 bits (TF32) in this block.

    PyTorch lets them by default, which is faster; the results then differ from those of a CPU.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def is_out_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Whether an error says that the memory of a GPU or of the machine is too small."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        text in str(error) for text in OUT_OF_MEMORY
    )


@contextmanager
def memory_error_hint(hint: str) -> Iterator[None]:
    """Replace out-of-memory errors, of a GPU or of the machine, by one with a hint.

    Raises:
        AffectkitError: memory is too small.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0][:120]
        raise AffectkitError(f"out of memory ({reason}): {hint}") from error
