"""Pretrained weights from the files in which they were published.

`read_weights` reads all supported formats, `rename_vgg_layers` and `rename_resnet_layers` convert
layer names, `load_weights` loads the tensors into a backbone, with a clear error if they do not
match. No code in a file is executed: pickles are never run.

All backbones take RGB images. The first convolution of weights that were trained on BGR images is
reversed along its input channels when they are read.
"""

from affectkit.models.pretrained.layer_names import (
    affwildnet_vgg_layers,
    rename_resnet_layers,
    rename_slim_layers,
    rename_vgg_layers,
    slim_resnet_layers,
)
from affectkit.models.pretrained.loading import (
    check_classes,
    differences,
    first_names,
    load_weights,
)
from affectkit.models.pretrained.reading import read_weights

__all__ = [
    "affwildnet_vgg_layers",
    "check_classes",
    "differences",
    "first_names",
    "load_weights",
    "read_weights",
    "rename_resnet_layers",
    "rename_slim_layers",
    "rename_vgg_layers",
    "slim_resnet_layers",
]
