"""Reader of TensorFlow checkpoints: the variables of a network (`NAME.index`, `NAME.data-*`).

This is the format of `tf.train.Saver` since TensorFlow 1 (V2; older files, V1, have no index). The
index is a table of LevelDB: blocks of sorted keys, each key without the start that it shares with
the key before it. A key is the name of a variable, its value is a message of protocol buffers:
type, shape, and where in which data file the numbers are. The empty key has the number of data
files. All sizes are checked against the size of the file before they are used, all bytes by their
CRC-32C.

`tf.train.load_checkpoint` reads the same files, but needs TensorFlow. The package
`tensorflow-checkpoint-reader` needs 25,000 lines of TensorFlow's Python code.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.formats import PretrainedWeights, kernel_tensor, vector_tensor

TABLE_END = bytes.fromhex("57fb808b247547db")  # the last bytes of a table
FOOTER = 48  # bytes
TRAILER = 5  # bytes after a block: how it is compressed, and its checksum
MAX_KEY = 4096  # bytes
FLOATS = {1: "<f4", 2: "<f8", 19: "<f2"}  # other types are those of counters
# copies of each variable that optimisers keep: momentum, moments
OPTIMISER = re.compile(r"/(Adam|AdaMax|Momentum|RMSProp|Adagrad|Adadelta|Ftrl)(_\d+)?$")
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # kinds of fields in a message

Bytes = NDArray[np.uint8]
Message = dict[int, list[int | bytes]]  # the values of each field by its number


class Variable(NamedTuple):
    """Where the numbers of a variable are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: int
    offset: int
    size: int
    checksum: int


def find_index(path: Path) -> Path:
    """The index of a checkpoint, given its index, one of its data files, or its name without both.

    Any other path is returned unchanged.
    """
    name = re.sub(r"\.data-\d{5}-of-\d{5}$", "", path.name)
    index = path.parent / f"{name}.index"
    return index if index.is_file() and (name != path.name or not path.exists()) else path


def is_tensorflow(path: Path) -> bool:
    """Whether a file is the index of a checkpoint, or a checkpoint of format V1."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(TABLE_END)))
        return file.read() == TABLE_END or path.suffix == ".index"


def read_tensorflow(path: Path) -> PretrainedWeights:
    """Read the weights of a checkpoint by the names of their variables.

    Counters, other variables of a single number and the copies that optimisers keep are left out.

    Args:
        path: the index.

    Raises:
        AffectkitError: a data file is missing, or the format is V1.
        ValueError: a file is damaged or truncated.
    """
    if path.suffix != ".index":
        raise AffectkitError(
            f"{path} is a TensorFlow checkpoint of format V1; expected V2 (.index and .data "
            "files): save it again with tf.compat.v1.train.Saver"
        )
    entries = dict(_read_table(np.memmap(path, dtype=np.uint8, mode="r")))
    if b"" not in entries:
        raise ValueError("the number of data files is missing")
    header = _read_message(entries.pop(b""))
    if _number(header, 2):
        raise AffectkitError(f"{path} was written on a big-endian computer, which is not supported")
    files = _DataFiles(path, _number(header, 1))
    tensors = {}
    for variable in _variables(entries, path):
        array = files.read(variable)
        convert = vector_tensor if array.ndim == 1 else kernel_tensor
        tensors[variable.name] = convert(array)
    return PretrainedWeights(tensors)


class _DataFiles:
    def __init__(self, index: Path, count: int) -> None:
        self.index, self.count = index, count
        self.opened: dict[int, Bytes] = {}
        self.unread: dict[int, int] = {}  # bytes

    def read(self, variable: Variable) -> NDArray[np.floating]:
        data = self.open(variable.file)
        part = _part(data, variable.offset, variable.size, variable.name)
        self.unread[variable.file] -= variable.size
        if self.unread[variable.file] < 0:
            raise ValueError(f"{variable.name} has bytes of another variable")
        if math.prod(variable.shape) * np.dtype(variable.dtype).itemsize != variable.size:
            raise ValueError(f"{variable.name} of {variable.shape} has {variable.size} bytes")
        _check(part, variable.checksum, variable.name)
        return np.frombuffer(part, variable.dtype).reshape(variable.shape)

    def open(self, number: int) -> Bytes:
        if not 0 <= number < self.count <= 99_999:
            raise ValueError(f"data file {number} of {self.count}")
        if number not in self.opened:
            path = self.index.with_suffix(f".data-{number:05}-of-{self.count:05}")
            if not path.is_file():
                raise AffectkitError(
                    f"{self.index} needs its data file: {path.name} is missing in {path.parent}; "
                    "copy both from the same checkpoint"
                )
            empty = path.stat().st_size == 0
            self.opened[number] = (
                np.zeros(0, np.uint8) if empty else np.memmap(path, dtype=np.uint8, mode="r")
            )
            self.unread[number] = len(self.opened[number])
        return self.opened[number]


def _variables(entries: dict[bytes, bytes], path: Path) -> Iterator[Variable]:
    for key, value in entries.items():
        if key.startswith(b"\0"):  # a part of a variable that is stored in several parts
            continue
        entry, name = _read_message(value), key.decode()
        if not name.isprintable():
            raise ValueError(f"{name!r} is no name of a variable")
        dtype, shape = FLOATS.get(_number(entry, 1)), _shape(entry)
        if dtype is None or not shape or OPTIMISER.search(name):
            continue
        if 7 in entry:
            raise AffectkitError(
                f"{path} has the variable {name} in several parts, which is not supported; save it "
                "again without a partitioner"
            )
        place = (_number(entry, number) for number in (3, 4, 5, 6))
        yield Variable(name, dtype, shape, *place)


def _shape(entry: Message) -> tuple[int, ...]:
    (shape,) = entry.get(2, [b""])
    return tuple(_number(_read_message(each), 1) for each in _read_message(shape).get(2, []))


def _read_table(table: Bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = _part(table, len(table) - FOOTER, FOOTER, "the end of the index").tobytes()
    if not footer.endswith(TABLE_END):
        raise ValueError("the end of the index is missing")
    _, _, *blocks_at = _varints(footer[: -len(TABLE_END)], 4)
    for _, handle in _read_block(table, *blocks_at):
        yield from _read_block(table, *_varints(handle, 2))


def _read_block(table: Bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    part = _part(table, offset, size + TRAILER, "a block of the index")
    block, trailer = part[:size].tobytes(), part[size:].tobytes()
    if trailer[0]:
        raise ValueError("a block of the index is compressed")
    _check(part[: size + 1], int.from_bytes(trailer[1:], "little"), "a block of the index")
    # offsets of the keys that are stored in full, then their number
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        length, position = _varint(block, position)
        size_of_value, position = _varint(block, position)
        start = position + length
        if shared > len(key) or shared + length > MAX_KEY or start + size_of_value > end:
            raise ValueError("a key of the index exceeds its block")
        key = key[:shared] + block[position:start]
        position = start + size_of_value
        yield key, block[start:position]


def _read_message(message: int | bytes) -> Message:
    if isinstance(message, int):
        raise ValueError("a number instead of a message")
    fields: Message = {}
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind, value = tag & 7, 0
        if kind == VARINT:
            value, position = _varint(message, position)
            fields.setdefault(tag >> 3, []).append(value)
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if kind == BYTES:
            size, position = _varint(message, position)
        if size is None or size > len(message) - position:
            raise ValueError("a message of the index is damaged")
        content = message[position : position + size]
        position += size
        fields.setdefault(tag >> 3, []).append(
            content if kind == BYTES else int.from_bytes(content, "little")
        )
    return fields


def _number(message: Message, field: int) -> int:
    value = message.get(field, [0])[-1]
    if isinstance(value, bytes):
        raise ValueError("bytes instead of a number")
    return value


def _varints(data: bytes, count: int) -> list[int]:
    numbers, position = [], 0
    for _ in range(count):
        number, position = _varint(data, position)
        numbers.append(number)
    return numbers


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and the position after it."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise ValueError("a number of the index is damaged")


def _part(data: Bytes, offset: int, size: int, name: str) -> Bytes:
    if offset < 0 or offset + size > len(data):
        raise ValueError(f"{name}: expected {size} bytes at byte {offset} of {len(data)}")
    return data[offset : offset + size]


def _check(data: Bytes, checksum: int, name: str) -> None:
    value = google_crc32c.value(data.tobytes())
    # TensorFlow stores checksums rotated and shifted
    if ((value >> 15 | value << 17) + 0xA282EAD8) % 2**32 != checksum:
        raise ValueError(f"{name}: wrong checksum")
