"""Compare the content of a file with what is expected: names, shapes, dtypes, finite numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor


def difference(expected: Any, given: Any, name: str = "") -> str:  # noqa: ANN401
    """The first difference in structure between two nested values; "" if there is none.

    Tensors have the same shape and dtype, mappings the same keys, sequences the same length; text,
    booleans and None are equal. All numbers are finite, but may differ.

    Args:
        expected: nested mappings and sequences of tensors, numbers, text and None.
        given: the same, from a file.
        name: of the value, for the result.
    """
    if isinstance(expected, Tensor):
        return _tensor_difference(expected, given, name)
    if isinstance(expected, Mapping):
        return _mapping_difference(expected, given, name)
    if isinstance(expected, list | tuple):
        if not isinstance(given, list | tuple) or len(given) != len(expected):
            return f"{name} is {_kind(given)}, expected {len(expected)} values"
        parts = enumerate(zip(expected, given, strict=True))
        found = (difference(a, b, f"{name}[{i}]") for i, (a, b) in parts)
        return next(filter(None, found), "")
    if isinstance(expected, bool | str | None):
        return "" if given == expected else f"{name} is {_kind(given)}, expected {expected!r}"
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return "" if is_number and math.isfinite(given) else f"{name} is {_kind(given)}, not a number"


def _tensor_difference(expected: Tensor, given: object, name: str) -> str:
    if not isinstance(given, Tensor):
        return f"{name} is {_kind(given)}, expected a tensor"
    if (given.shape, given.dtype) != (expected.shape, expected.dtype):
        return (
            f"{name} is {tuple(given.shape)} {_dtype(given)}, expected {tuple(expected.shape)} "
            f"{_dtype(expected)}"
        )
    return "" if bool(given.isfinite().all()) else f"{name} has values that are not finite"


def _mapping_difference(expected: Mapping[Any, Any], given: object, name: str) -> str:
    if not isinstance(given, Mapping):
        return f"{name or 'the content'} is {_kind(given)}, expected a table"
    prefix = f"{name}." if name else ""
    for word, keys in (("missing", expected.keys() - given.keys()),
                       ("unknown", given.keys() - expected.keys())):  # fmt: skip
        if keys:
            return f"{prefix}{min(map(str, keys))} is {word}"
    found = (difference(value, given[key], f"{prefix}{key}") for key, value in expected.items())
    return next(filter(None, found), "")


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _kind(value: object) -> str:
    if isinstance(value, Sequence | Mapping) and not isinstance(value, str | bytes):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value)[:60] if isinstance(value, str | int | float | None) else type(value).__name__
