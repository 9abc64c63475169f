"""Any published file of weights to tensors: its first bytes say who wrote it."""

from collections.abc import Callable
from pathlib import Path

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.keras import read_keras
from affectkit.models.pretrained.matconvnet import read_matconvnet
from affectkit.models.pretrained.state_dicts import read_safetensors, read_torch
from affectkit.models.pretrained.stored import Stored
from affectkit.models.pretrained.torch7 import read_torch7

FORMATS: dict[str, Callable[[Path], Stored]] = {
    "Keras": read_keras,
    "MatConvNet": read_matconvnet,
    "PyTorch": read_torch,
    "safetensors": read_safetensors,
    "Torch7": read_torch7,
}
SIGNS = {
    b"\x89HDF": "Keras",
    b"MATLAB 5.0": "MatConvNet",
    b"PK\x03\x04": "PyTorch",
    b"\x80": "PyTorch",  # a pickle: older state dicts, and much that is refused
    b"\x03\x00\x00\x00": "Torch7",
    b"\x04\x00\x00\x00": "Torch7",
}
PICKLES = (".pkl", ".pickle", ".pth", ".pt")
ELSEWISE = {
    b"MATLAB 7.3": "is a Matlab file of version 7.3; save it in Matlab with the option '-v7'",
    b"\x1f\x8b": "is an archive; unpack it and give the file of weights in it",
    b"version https://git-lfs": "stands for a file that git-lfs has not fetched yet",
}


def read_weights(path: Path) -> Stored:
    """Read a file of weights in any of `FORMATS`.

    Raises:
        AffectkitError: no such file, none of the formats, damaged, or a pickle.
    """
    if not path.is_file():
        absent = "is a folder without weights" if path.is_dir() else "do not exist"
        raise AffectkitError(
            f"weights {path} {absent}; give a .safetensors or .pth file, a Keras .h5, "
            "a MatConvNet .mat, a Torch7 .t7, or a trained run"
        )
    kind = _kind(path)
    try:
        return FORMATS[kind](path)
    except AffectkitError:
        raise
    except Exception as error:  # every reader has its own ways to fail on a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise AffectkitError(
            f"{path} looks like a file of {kind}, but is damaged or cut short ({reason[:120]})"
        ) from None


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(128)
    for sign, kind in SIGNS.items():
        if head.startswith(sign):
            return kind
    if head[8:9] == b"{":  # after the length of its header
        return "safetensors"
    if head and path.suffix in PICKLES:
        return "PyTorch"
    for sign, advice in ELSEWISE.items():
        if head.startswith(sign):
            raise AffectkitError(f"{path} {advice}")
    raise AffectkitError(
        f"{path} is no file of weights that can be read: known are {', '.join(sorted(FORMATS))}"
    )
