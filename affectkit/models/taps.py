"""Features of layers inside a backbone, beside those it ends in."""

from collections.abc import Iterable
from functools import partial

from torch import Tensor, nn

from affectkit.errors import unknown


def tap(module: nn.Module, names: Iterable[str]) -> dict[str, Tensor]:
    """Listen to layers of a module.

    Args:
        module: the backbone.
        names: layers by their paths in it, as `named_modules` gives them.

    Returns:
        A dict that each forward pass fills: the output of each layer, (N, F), flattened. Take it
        out with `pop`, or it keeps the pass alive.

    Raises:
        AffectkitError: no such layer.
    """
    layers = {name: layer for name, layer in module.named_modules() if name}
    heard: dict[str, Tensor] = {}
    for name in names:
        if name not in layers:
            raise unknown("layer of the backbone", name, layers)
        layers[name].register_forward_hook(partial(_hear, heard, name))
    return heard


def _hear(
    heard: dict[str, Tensor], name: str, layer: nn.Module, inputs: object, output: Tensor
) -> None:
    # a copy: the ReLU that follows may write over what it is given
    heard[name] = output.clone().flatten(1)
