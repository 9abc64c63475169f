"""Torch7 nets (`.t7`), as `VGG_FACE.t7`: the binary serialisation of Lua Torch, read strictly.

A file is one object: a number, a string, a table, or a torch class. Tensors and storages are read
as arrays, every other class (`nn.Sequential`, ...) as the table of its fields; functions, which
are Lua byte code, are refused. The package `torchfile` reads the same, but lays a tensor over
memory by whatever strides a file claims; here every claim is held against the file's size.

Layers are named by their number in the net, counted from 1 as in Lua: "1.weight".
"""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.stored import Stored, flat

NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN = range(6)
KINDS = {
    "Byte": "u1", "Char": "i1", "Short": "<i2", "Int": "<i4", "Long": "<i8",
    "Float": "<f4", "Double": "<f8", "Cuda": "<f4", "CudaDouble": "<f8",
}  # fmt: skip
TENSOR = {f"torch.{kind}Tensor" for kind in KINDS}
STORAGE = {f"torch.{kind}Storage": dtype for kind, dtype in KINDS.items()}


def read_torch7(path: Path) -> Stored:
    """Read the weights and biases of a net of layers in a row.

    Raises:
        AffectkitError: the file holds something else.
    """
    net = _Reader(np.memmap(path, dtype=np.uint8, mode="r")).read()
    if not isinstance(net, dict) or not isinstance(net.get("modules"), dict):
        raise AffectkitError(f"{path} holds no Torch7 net of layers in a row (nn.Sequential)")
    return Stored(_weights(net, ""), "BGR")


def _weights(module: dict[Any, Any], prefix: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for number, layer in module.get("modules", {}).items():
        tensors |= _weights(layer, f"{prefix}{number:.0f}.")
    if isinstance(module.get("weight"), np.ndarray):
        weight = torch.from_numpy(np.array(module["weight"], dtype=np.float32))
        if weight.ndim == 2 and "kW" in module:  # SpatialConvolutionMM keeps kernels as rows
            weight = weight.reshape(len(weight), -1, int(module["kH"]), int(module["kW"]))
        tensors[f"{prefix}weight"] = weight
    if isinstance(module.get("bias"), np.ndarray):
        tensors[f"{prefix}bias"] = flat(module["bias"])
    return tensors


class _Reader:
    """Goes through the bytes once; an object written twice is a reference the second time."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.at = 0
        self.seen: dict[int, Any] = {}

    def take(self, count: int) -> np.ndarray:
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError(f"{count} bytes announced at byte {self.at}, more than there are")
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self) -> int:
        return int(struct.unpack("<i", self.take(4).tobytes())[0])

    def longs(self, count: int) -> list[int]:
        return [int(x) for x in self.take(8 * count).view("<i8")]

    def text(self) -> str:
        return self.take(self.integer()).tobytes().decode("latin-1")

    def read(self) -> Any:  # noqa: ANN401
        kind = self.integer()
        if kind == NIL:
            return None
        if kind == NUMBER:
            return struct.unpack("<d", self.take(8).tobytes())[0]
        if kind == STRING:
            return self.text()
        if kind == BOOLEAN:
            return bool(self.integer())
        if kind not in (TABLE, TORCH):
            raise ValueError(f"object of kind {kind} at byte {self.at}: a function, or no Torch7")
        index = self.integer()
        if index not in self.seen:
            self.seen[index] = {}
            found = self.table(self.seen[index]) if kind == TABLE else self.thing(index)
            self.seen[index] = found
        return self.seen[index]

    def table(self, into: dict[Any, Any]) -> dict[Any, Any]:
        for _ in range(self.integer()):
            key = self.read()
            into[key] = self.read()
        return into

    def thing(self, index: int) -> Any:  # noqa: ANN401
        version = self.text()
        name = self.text() if version.startswith("V ") else version
        if name in TENSOR:
            return self.tensor()
        if name in STORAGE:
            dtype = np.dtype(STORAGE[name])
            return self.take(self.longs(1)[0] * dtype.itemsize).view(dtype)
        fields: dict[Any, Any] = self.seen[index]
        fields.update(self.read())
        return fields

    def tensor(self) -> np.ndarray | None:
        ndim = self.integer()
        size, stride = self.longs(ndim), self.longs(ndim)
        start = self.longs(1)[0] - 1
        storage = self.read()
        if storage is None or ndim == 0:
            return None
        last = start + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        inside = min([start, *(n - 1 for n in size), *stride]) >= 0 and last < len(storage)
        if not inside or math.prod(size) > len(storage):
            raise ValueError(f"a tensor of {size} reaches beyond its {len(storage)} numbers")
        steps = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[start:], size, steps, writeable=False)
