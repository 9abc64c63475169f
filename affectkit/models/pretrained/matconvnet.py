"""MatConvNet nets in Matlab files (`.mat`), as `vgg_face.mat`.

The layers lie at the top of the file or in `net`; each has `weights`, a cell of kernel and bias,
or in older files `filters` and `biases`. MatConvNet works on red-green-blue; the mean picture
that the file brings tells whether a file departs from that, since skin is redder than blue.
scipy tells a file that is cut short, but trusts the inside: take such files from their authors.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.pretrained.stored import Stored, flat, from_last


def read_matconvnet(path: Path) -> Stored:
    """Read the layers of a simple (not DagNN) net.

    Raises:
        AffectkitError: the file holds no such net.
    """
    content = loadmat(path, simplify_cells=True)
    net = content.get("net", content)
    if not isinstance(net, Mapping) or not isinstance(net.get("layers"), Sequence):
        raise AffectkitError(
            f"{path} has no MatConvNet layers ('layers', or 'net.layers' of a SimpleNN net)"
        )
    tensors: dict[str, Tensor] = {}
    for layer in net["layers"]:
        tensors |= _layer(layer)
    return Stored(tensors, "BGR" if _blue_first(net) else "RGB")


def _layer(layer: Mapping[str, Any]) -> dict[str, Tensor]:
    arrays = layer.get("weights")
    if arrays is None:
        arrays = [layer[key] for key in ("filters", "biases") if key in layer]
    if len(arrays) < 2:
        return {}
    kernel = from_last(arrays[0])
    if kernel.ndim == 2:  # the reader squeezes a 1 x 1 kernel
        kernel = kernel[:, :, None, None]
    name = layer["name"]
    return {f"{name}.weight": kernel, f"{name}.bias": flat(arrays[1])}


def _blue_first(net: Mapping[str, Any]) -> bool:
    meta = net.get("meta", net)
    mean = (meta.get("normalization") or {}).get("averageImage")
    if mean is None:
        return False
    first, _, last = np.asarray(mean, dtype=float).reshape(-1, 3).mean(axis=0)
    return bool(first < last)
