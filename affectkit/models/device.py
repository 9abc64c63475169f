"""Select the device of a model, and move a model to it for prediction."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from affectkit.errors import AffectkitError

AUTO = "auto"


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
    if found.type not in ("cpu", "cuda", "mps"):
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


@contextmanager
def evaluation_mode(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Move a model to a device and into evaluation mode; afterwards it is as before."""
    before = next(model.parameters()).device
    training = {module: module.training for module in model.modules()}
    model.to(device).eval()
    try:
        yield
    finally:
        model.to(before)
        for module, mode in training.items():
            module.training = mode
