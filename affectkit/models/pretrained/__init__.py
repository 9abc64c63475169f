"""Pretrained weights from files as they were published, whatever program wrote them.

`read_weights` gives the tensors of any of these formats in torch's memory order, `naming` the
layer names that a backbone goes by, `load_into` puts them in place or says what does not fit.
Nothing here runs code that a file brings: no pickle is executed.

First convolutions trained on blue-green-red pixels are turned round when they are read, so that
every backbone takes red-green-blue and no pixel is reordered later.
"""

from affectkit.models.pretrained.fetching import fetch
from affectkit.models.pretrained.fitting import check_classes, load_into
from affectkit.models.pretrained.naming import vgg_layers, vggface2_layers
from affectkit.models.pretrained.reading import read_weights

__all__ = [
    "check_classes",
    "fetch",
    "load_into",
    "read_weights",
    "vgg_layers",
    "vggface2_layers",
]
