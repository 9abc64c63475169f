"""A writer of TensorFlow checkpoints (V2), and the layers of TensorFlow computed by hand."""

import struct

import google_crc32c
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
RESTART = 16  # keys between those that are stored in full


def varint(number):
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number, value):
    """A field of a message: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def masked_checksum(data):
    value = google_crc32c.value(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) % 2**32)


def make_entry(array, *, file, offset, **changes):
    """The message of a variable; `changes` replace its values."""
    values = {"dtype": TYPES[str(array.dtype)], "offset": offset, "size": array.nbytes} | changes
    shape = b"".join(field(2, field(1, size)) for size in changes.get("shape", array.shape))
    entry = field(1, values["dtype"]) + field(2, shape) + field(3, file)
    entry += field(4, values["offset"]) + field(5, values["size"])
    return entry + varint(6 << 3 | 5) + masked_checksum(array.tobytes()) + changes.get("more", b"")


def common_start(first, second):
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))


def make_block(items):
    block, restarts, previous = b"", [], b""
    for number, (key, value) in enumerate(items):
        if number % RESTART == 0:
            restarts.append(len(block))
            previous = b""
        shared = common_start(previous, key)
        block += varint(shared) + varint(len(key) - shared) + varint(len(value))
        block += key[shared:] + value
        previous = key
    restarts = restarts or [0]
    return block + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def make_table(items, keys_per_block=40):
    """A table of LevelDB with the given keys and values."""
    table, handles = b"", []

    def add(block):
        nonlocal table
        handle = varint(len(table)) + varint(len(block))
        table += block + b"\0" + masked_checksum(block + b"\0")
        return handle

    items = sorted(items.items())
    for start in range(0, len(items), keys_per_block):
        part = items[start : start + keys_per_block]
        handles.append((part[-1][0] + b"~", add(make_block(part))))
    footer = add(make_block([])) + add(make_block(handles))
    return table + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def write_checkpoint(prefix, arrays, *, files=1, changes=None):
    """Write PREFIX.index and PREFIX.data-*; `changes` of entries by the names of variables."""
    items = {b"": field(1, files) + field(3, field(1, 1))}
    data = [bytearray() for _ in range(files)]
    for number, (name, array) in enumerate(sorted(arrays.items())):
        file = number % files
        place = {"offset": len(data[file])} | (changes or {}).get(name, {})
        items[name.encode()] = make_entry(array, file=file, **place)
        data[file] += array.tobytes()
    for file, content in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{file:05}-of-{files:05}").write_bytes(content)
    index = prefix.with_name(f"{prefix.name}.index")
    index.write_bytes(make_table(items))
    return index


# layers of TensorFlow in float64: maps (row, column, channel)


def convolve(maps, kernel, stride=1):
    """Convolution with as many zeros on both sides; SAME for a stride of 1 and odd kernels."""
    side = kernel.shape[0]
    low, high = (side - 1) // 2, side // 2
    padded = np.pad(maps, ((low, high), (low, high), (0, 0)))
    patches = sliding_window_view(padded, (side, side), (0, 1))[::stride, ::stride]
    return np.tensordot(patches, kernel, ([3, 4, 2], [0, 1, 2]))


def pool_same(maps, side, stride):
    """Max pooling with SAME padding, most of it at the end."""
    pads = []
    for length in maps.shape[:2]:
        total = max(0, (-(-length // stride) - 1) * stride + side - length)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(maps, (*pads, (0, 0)), constant_values=-np.inf)
    return sliding_window_view(padded, (side, side), (0, 1))[::stride, ::stride].max((3, 4))


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def gru_by_hand(inputs, cells):
    """States of the last layer (frame, unit), from zeros; cells: kernels and biases by name."""
    for cell in cells:
        state, states = np.zeros(cell["candidate/bias"].shape), []
        for frame in inputs:
            both = np.concatenate([frame, state])
            gates = sigmoid(both @ cell["gates/kernel"] + cell["gates/bias"])
            reset, update = np.split(gates, 2)
            gated = np.concatenate([frame, reset * state])
            candidate = np.tanh(gated @ cell["candidate/kernel"] + cell["candidate/bias"])
            state = update * state + (1 - update) * candidate
            states.append(state)
        inputs = np.array(states)
    return inputs
