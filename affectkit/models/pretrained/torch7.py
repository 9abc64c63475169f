"""Reader of Torch7 networks (`.t7`, such as `VGG_FACE.t7`): Lua Torch's binary serialisation.

A file is one object: a number, a string, a table, or a torch class. Tensors and storages are read
as arrays, all other classes (`nn.Sequential`, ...) as tables of their fields. Functions, which are
Lua byte code, are refused. The package `torchfile` reads the same format, but trusts the strides
and sizes in a file; here they are all checked against the size of the file.

Layers are named by their number in the network, starting at 1 as in Lua: "1.weight".
"""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.formats import PretrainedWeights, vector_tensor

NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN = range(6)
DTYPES = {
    "Byte": "u1", "Char": "i1", "Short": "<i2", "Int": "<i4", "Long": "<i8",
    "Float": "<f4", "Double": "<f8", "Cuda": "<f4", "CudaDouble": "<f8",
}  # fmt: skip
TENSOR = {f"torch.{name}Tensor" for name in DTYPES}
STORAGE = {f"torch.{name}Storage": dtype for name, dtype in DTYPES.items()}


def read_torch7(path: Path) -> PretrainedWeights:
    """Read the weights and biases of a sequential network.

    Raises:
        AffectkitError: the file contains something else.
    """
    net = _Reader(np.memmap(path, dtype=np.uint8, mode="r")).read()
    if not isinstance(net, dict) or not isinstance(net.get("modules"), dict):
        raise AffectkitError(f"{path} has no Torch7 network; expected an nn.Sequential")
    return PretrainedWeights(_weights(net, ""), "BGR")


def _weights(module: dict[Any, Any], prefix: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for number, layer in module.get("modules", {}).items():
        tensors |= _weights(layer, f"{prefix}{number:.0f}.")
    if isinstance(module.get("weight"), np.ndarray):
        weight = torch.from_numpy(np.array(module["weight"], dtype=np.float32))
        if weight.ndim == 2 and "kW" in module:  # SpatialConvolutionMM stores kernels as rows
            weight = weight.reshape(len(weight), -1, int(module["kH"]), int(module["kW"]))
        tensors[f"{prefix}weight"] = weight
    if isinstance(module.get("bias"), np.ndarray):
        tensors[f"{prefix}bias"] = vector_tensor(module["bias"])
    return tensors


class _Reader:
    """Reads the bytes once, in order. A repeated object is a reference to its first occurrence."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.position = 0
        self.objects: dict[int, Any] = {}

    def read_bytes(self, count: int) -> np.ndarray:
        remaining = len(self.data) - self.position
        if not 0 <= count <= remaining:
            raise ValueError(
                f"expected {count} bytes at byte {self.position}, but only {remaining} remain"
            )
        self.position += count
        return self.data[self.position - count : self.position]

    def read_integer(self) -> int:
        return int(struct.unpack("<i", self.read_bytes(4).tobytes())[0])

    def read_longs(self, count: int) -> list[int]:
        return [int(x) for x in self.read_bytes(8 * count).view("<i8")]

    def read_text(self) -> str:
        return self.read_bytes(self.read_integer()).tobytes().decode("latin-1")

    def read(self) -> Any:  # noqa: ANN401
        kind = self.read_integer()
        if kind == NIL:
            return None
        if kind == NUMBER:
            return struct.unpack("<d", self.read_bytes(8).tobytes())[0]
        if kind == STRING:
            return self.read_text()
        if kind == BOOLEAN:
            return bool(self.read_integer())
        if kind not in (TABLE, TORCH):
            raise ValueError(
                f"object of kind {kind} at byte {self.position}: a function, or not a Torch7 file"
            )
        index = self.read_integer()
        if index not in self.objects:
            self.objects[index] = {}
            read = self.read_table if kind == TABLE else self.read_torch_class
            self.objects[index] = read(self.objects[index])
        return self.objects[index]

    def read_table(self, table: dict[Any, Any]) -> dict[Any, Any]:
        for _ in range(self.read_integer()):
            key = self.read()
            table[key] = self.read()
        return table

    def read_torch_class(self, fields: dict[Any, Any]) -> Any:  # noqa: ANN401
        version = self.read_text()
        name = self.read_text() if version.startswith("V ") else version
        if name in TENSOR:
            return self.read_tensor()
        if name in STORAGE:
            dtype = np.dtype(STORAGE[name])
            return self.read_bytes(self.read_longs(1)[0] * dtype.itemsize).view(dtype)
        fields.update(self.read())
        return fields

    def read_tensor(self) -> np.ndarray | None:
        ndim = self.read_integer()
        size, stride = self.read_longs(ndim), self.read_longs(ndim)
        start = self.read_longs(1)[0] - 1
        storage = self.read()
        if storage is None or ndim == 0:
            return None
        last = start + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        inside = min([start, *(n - 1 for n in size), *stride]) >= 0 and last < len(storage)
        if not inside or math.prod(size) > len(storage):
            raise ValueError(f"a tensor of {size} exceeds its storage of {len(storage)} numbers")
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[start:], size, strides, writeable=False)
