"""Fuse batch norms into the convolutions before them: the same outputs in less time."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from affectkit.models.cnn_rnn import CnnRnn

TOLERANCE = 1e-4  # largest rounding error of the fused CNN, relative to the largest feature


@torch.no_grad()
def fuse_batch_norms(model: CnnRnn, size: int) -> CnnRnn:
    """Replace the CNN of a model in evaluation mode by one without batch norms.

    In evaluation mode a batch norm multiplies each channel by a factor and adds an offset. The
    weights of the convolution before it can include both. A forward pass shows which convolution
    feeds which batch norm. The model is not changed if the fused CNN gives other features (for
    example because a convolution feeds other layers too), or if the model has feature layers.

    Args:
        model: in evaluation mode; it is changed in place. Afterwards it can predict and be
            explained, but not be trained.
        size: side of the input images in pixels.
    """
    if model.feature_layers:
        return model
    image = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    fused, features = deepcopy(model.cnn), model.cnn(image)
    for norm_name, conv_name in _batch_norm_inputs(fused, image).items():
        conv, norm = fused.get_submodule(conv_name), fused.get_submodule(norm_name)
        fused.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm))  # type: ignore[type-var, arg-type]
        # batch norms of timm contain their activation
        fused.set_submodule(norm_name, nn.Sequential(*norm.children()))
    if (fused(image) - features).abs().max() <= TOLERANCE * features.abs().max():
        model.cnn = fused
    return model


def _batch_norm_inputs(cnn: nn.Module, image: Tensor) -> dict[str, str]:
    """Names of batch norms, each with the name of the convolution that feeds it."""
    # the tensors are kept: Python would reuse the id of a deleted tensor
    outputs: dict[int, tuple[str, Tensor]] = {}
    pairs: dict[str, str] = {}

    def record(name: str, module: nn.Module, given: Tensor, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            outputs[id(output)] = name, output
        elif id(given) in outputs:
            pairs[name] = outputs[id(given)][0]

    hooks = [
        module.register_forward_hook(
            lambda module, inputs, output, name=name: record(name, module, inputs[0], output)
        )
        for name, module in cnn.named_modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    cnn(image)
    for hook in hooks:
        hook.remove()
    return pairs
