"""Read a weight file of any supported format, detected from its first bytes."""

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
PICKLE_SUFFIXES = (".pkl", ".pickle", ".pth", ".pt")
UNSUPPORTED = {
    b"MATLAB 7.3": "is a Matlab file of version 7.3; save it in Matlab with the option '-v7'",
    b"\x1f\x8b": "is an archive; unpack it and use the weight file in it",
    b"version https://git-lfs": "is a git-lfs pointer; run 'git lfs pull' to get the weight file",
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
    if head and path.suffix in PICKLE_SUFFIXES:
        return "PyTorch"
    for first_bytes, advice in UNSUPPORTED.items():
        if head.startswith(first_bytes):
            raise AffectkitError(f"{path} {advice}")
    raise AffectkitError(
        f"{path} is not a weight file; expected one of {', '.join(sorted(FORMATS))}"
    )
