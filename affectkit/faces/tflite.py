"""Networks in TensorFlow Lite's format, run by the package ai-edge-litert on one thread."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError, missing_extra

Network = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
"""Maps an input (row, col, channel) to all outputs, each without its batch dimension."""


def load_network(path: Path) -> Network:
    """Load a network with one input.

    Args:
        path: a .tflite file.

    Raises:
        AffectkitError: the package is not installed, or the file is no network.
    """
    interpreter_class = find_interpreter()
    try:
        with _without_standard_error():
            # more threads gain nothing at this size, and sums could change with their number
            interpreter = interpreter_class(model_path=str(path), num_threads=1)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise AffectkitError(
            f"{path} is not a network of TensorFlow Lite ({str(error).splitlines()[0][:100]}); "
            "remove it: it is fetched again at the next use"
        ) from None
    source = interpreter.get_input_details()[0]["index"]
    outputs = [each["index"] for each in interpreter.get_output_details()]

    def run(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        interpreter.set_tensor(source, values[None])
        interpreter.invoke()
        return [interpreter.get_tensor(index)[0] for index in outputs]

    return run


def find_interpreter() -> Any:  # noqa: ANN401
    """The interpreter of ai-edge-litert.

    Raises:
        AffectkitError: the package is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise missing_extra("ai-edge-litert", "faces") from None
    return Interpreter


@contextmanager
def _without_standard_error() -> Iterator[None]:
    """Hide what the C++ library prints when it creates a network; it has no option for that."""
    try:
        copy = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)
