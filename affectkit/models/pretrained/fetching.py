"""Weights that have a published address, fetched once into torch's cache."""

from pathlib import Path

import torch

from affectkit.errors import AffectkitError

# rcmalli's files without classifier: 60 and 95 MB instead of 580 and 165, and no pickles
SOURCES = {
    "vgg16": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "vggface": "https://github.com/rcmalli/keras-vggface/releases/download/v2.0/"
    "rcmalli_vggface_tf_notop_vgg16.h5",
    "vggface2": "https://github.com/rcmalli/keras-vggface/releases/download/v2.0/"
    "rcmalli_vggface_tf_notop_resnet50.h5",
}


def fetch(backbone: str) -> Path:
    """The local copy of a backbone's weights, downloaded at first use.

    torchvision's names carry the start of the file's SHA-256, which is checked; the others were
    published without one.

    Raises:
        AffectkitError: there is no net, or the address has gone.
    """
    url = SOURCES[backbone]
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    named = torch.hub.HASH_REGEX.search(path.name)
    try:
        torch.hub.download_url_to_file(url, str(path), named[1] if named else None)
    except (OSError, RuntimeError) as error:  # no net, no such page, or another file than named
        raise AffectkitError(
            f"weights of {backbone!r} could not be fetched from {url} ({str(error)[:120]}); "
            "set model.weights to a local file, or model.pretrained to false"
        ) from None
    return path
