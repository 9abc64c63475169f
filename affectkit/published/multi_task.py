"""Networks that predict expressions, then valence and arousal, in one output layer."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT


def keep_affect_rows(
    tensors: Mapping[str, Tensor], layer: str, path: Path, *, expressions: int
) -> dict[str, Tensor]:
    """The state dict of a CNN with valence and arousal as its only outputs.

    Args:
        tensors: the network, with its output layer.
        layer: name of the output layer. Its rows are the expressions, valence, arousal.
        path: the weight file, for the error.
        expressions: their number.

    Raises:
        AffectkitError: the output layer has another number of rows.
    """
    out = {}
    for name, tensor in tensors.items():
        owner, _, kind = name.rpartition(".")
        if owner != layer:
            out[f"cnn.{name}"] = tensor
            continue
        rows = len(tensor) if tensor.ndim else 0
        if rows != expressions + len(AFFECT):
            raise AffectkitError(
                f"{path} is another network: expected {expressions + len(AFFECT)} outputs "
                f"({expressions} expressions, valence, arousal), got {rows} in {name}"
            )
        out[f"head.{kind}"] = tensor[expressions:].contiguous()
    return out
