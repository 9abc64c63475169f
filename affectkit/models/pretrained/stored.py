"""What a file of weights holds, once it is read."""

from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor


class Stored(NamedTuple):
    """Tensors by name, convolutions as (out, in, row, col), matrices as (out, in).

    `order` is that of the pixels which the first convolution wants; "" = the file does not say.
    """

    tensors: dict[str, Tensor]
    order: Literal["RGB", "BGR", ""] = ""


def from_last(kernel: ArrayLike) -> Tensor:
    """Turn a kernel with its output channels last, as TensorFlow and Matlab keep it, to torch's."""
    array = np.asarray(kernel, dtype=np.float32)
    axes = (3, 2, 0, 1) if array.ndim == 4 else tuple(reversed(range(array.ndim)))
    return torch.from_numpy(np.ascontiguousarray(array.transpose(axes)))


def flat(vector: ArrayLike) -> Tensor:
    """A bias or a statistic, which some formats keep as a column or a row."""
    return torch.from_numpy(np.array(vector, dtype=np.float32).reshape(-1))
