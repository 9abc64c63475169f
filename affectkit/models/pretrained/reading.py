"""Read a weight file of any supported format, detected from its first bytes."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.models.pretrained.formats import (
    PretrainedWeights,
    read_keras,
    read_matconvnet,
    read_safetensors,
    read_torch,
)
from affectkit.models.pretrained.tensorflow import find_index, is_tensorflow, read_tensorflow
from affectkit.models.pretrained.torch7 import read_torch7

FORMATS: dict[str, Callable[[Path], PretrainedWeights]] = {
    "Keras": read_keras,
    "MatConvNet": read_matconvnet,
    "PyTorch": read_torch,
    "safetensors": read_safetensors,
    "TensorFlow": read_tensorflow,
    "Torch7": read_torch7,
}
FIRST_BYTES = {
    b"\x89HDF": "Keras",
    b"MATLAB 5.0": "MatConvNet",
    b"PK\x03\x04": "PyTorch",
    b"\x80": "PyTorch",  # a pickle: an older state dict, or unsafe
    b"\x03\x00\x00\x00": "Torch7",
    b"\x04\x00\x00\x00": "Torch7",
}
# a file in the archive of a program: what the program is, and what gives its state dict
PROGRAMS = {
    "constants.pkl": ("TorchScript", "torch.jit.load('FILE').state_dict()"),
    "archive_format": ("torch.export", "torch.export.load('FILE').state_dict"),
}
PICKLE_SUFFIXES = (".pkl", ".pickle", ".pth", ".pt")
# a protobuf: the version of the format, then one of the next fields
ONNX = rb"\x08[\x01-\x3f][\x12\x1a\x22\x28\x32\x3a\x42]"
UNSUPPORTED = {  # patterns of the first bytes
    b"MATLAB 7.3": "is a Matlab file of version 7.3; save it in Matlab with the option '-v7'",
    b"\x1f\x8b": "is an archive; unpack it and use the weight file in it",
    b"version https://git-lfs": "is a git-lfs pointer; run 'git lfs pull' to get the weight file",
    ONNX: "is an ONNX network, in which batch norms are merged into other layers; expected the "
    "state dict that it was exported from (.safetensors or .pth)",
}


def read_weights(path: StrPath) -> PretrainedWeights:
    """Read a weight file in one of `FORMATS`.

    A TensorFlow checkpoint is given by its index, by a data file, or by its name without both.

    Raises:
        AffectkitError: the file does not exist, has another format, is damaged, or is an unsafe
            pickle.
    """
    path = find_index(Path(path))
    if not path.is_file():
        reason = "is a folder without weights" if path.is_dir() else "does not exist"
        raise AffectkitError(
            f"model.weights: {path} {reason}; expected a .safetensors or .pth file, a Keras .h5, "
            "a MatConvNet .mat, a Torch7 .t7, a TensorFlow .index, or a trained run"
        )
    name = _detect_format(path)
    try:
        if name == "PyTorch":
            _refuse_program(path)
        return FORMATS[name](path)
    except AffectkitError:
        raise
    except Exception as error:  # each library raises other errors for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise AffectkitError(
            f"{path} looks like a {name} file, but is damaged or truncated ({reason[:120]}); "
            "download it again"
        ) from None


def _detect_format(path: Path) -> str:
    if is_tensorflow(path):
        return "TensorFlow"
    with path.open("rb") as file:
        head = file.read(128)
    for first_bytes, name in FIRST_BYTES.items():
        if head.startswith(first_bytes):
            return name
    if head[8:9] == b"{":  # the header of a safetensors file follows its length
        return "safetensors"
    for pattern, advice in UNSUPPORTED.items():
        if re.match(pattern, head):
            raise AffectkitError(f"{path} {advice}")
    if head and path.suffix in PICKLE_SUFFIXES:
        return "PyTorch"
    raise AffectkitError(
        f"{path} is not a weight file; expected one of {', '.join(sorted(FORMATS))}"
    )


def _refuse_program(path: Path) -> None:
    if not zipfile.is_zipfile(path):  # an older state dict
        return
    with zipfile.ZipFile(path) as archive:
        members = {name.partition("/")[2] for name in archive.namelist()}
    for member, (kind, state_dict) in PROGRAMS.items():
        if member in members:
            raise AffectkitError(
                f"{path} is a program of {kind}, not a state dict; if you trust it, save its "
                f"state dict once with torch.save({state_dict}, 'OUT.pth') and use OUT.pth"
            )
