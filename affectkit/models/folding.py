"""Batch norms folded into the convolutions that feed them: the same net, in less time."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from affectkit.models.cnn_rnn import CnnRnn

NEAR = 1e-4  # of the largest feature: how far a folded CNN may be off by rounding


@torch.no_grad()
def fold_norms(model: CnnRnn, size: int) -> CnnRnn:
    """Give a net in evaluation mode a CNN without batch norms.

    There a batch norm is a factor and an offset for each channel, which the weights of the
    convolution before it can take over. Which convolution that is shows in a forward pass. Where
    the new CNN gives other features, as where a convolution feeds something else too, and where
    layers are tapped, the net stays as it is.

    Args:
        model: in evaluation mode; it is changed. It can predict and be explained, not be trained.
        size: pixels a side of its pictures.
    """
    if model.taps:
        return model
    image = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    folded, features = deepcopy(model.cnn), model.cnn(image)
    for norm, convolution in _fed_by(folded, image).items():
        conv, bn = folded.get_submodule(convolution), folded.get_submodule(norm)
        folded.set_submodule(convolution, fuse_conv_bn_eval(conv, bn))  # type: ignore[type-var, arg-type]
        folded.set_submodule(norm, nn.Sequential(*bn.children()))  # timm's bring an activation
    if (folded(image) - features).abs().max() <= NEAR * features.abs().max():
        model.cnn = folded
    return model


def _fed_by(cnn: nn.Module, image: Tensor) -> dict[str, str]:
    """The convolution whose output each batch norm is given, by their names."""
    outputs: dict[int, tuple[str, Tensor]] = {}  # kept, or its number would be given again
    pairs: dict[str, str] = {}

    def note(name: str, module: nn.Module, given: Tensor, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            outputs[id(output)] = name, output
        elif id(given) in outputs:
            pairs[name] = outputs[id(given)][0]

    hooks = [
        module.register_forward_hook(
            lambda module, inputs, output, name=name: note(name, module, inputs[0], output)
        )
        for name, module in cnn.named_modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    cnn(image)
    for hook in hooks:
        hook.remove()
    return pairs
