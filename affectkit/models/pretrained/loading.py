"""Load tensors into a backbone after checks."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from affectkit.errors import AffectkitError

MAX_NAMES = 3  # listed in an error message
# number of classes of the last layer: training data, and the backbones with such weights
CLASSES = {
    1000: ("ImageNet", ("vgg16", "resnet50")),
    2622: ("VGG-Face", ("vggface",)),
    8631: ("VGGFace2", ("vggface2",)),
}
HINTS = {
    "conv1_1.weight": "VGG-Face weights need backbone 'vggface'",
    "conv1_7x7_s2.weight": "VGGFace2 weights need backbone 'vggface2'",
    "emo_net_2.0.conv1.weight": "EmoNet weights need backbone 'emonet'",
}

log = logging.getLogger(__name__)


def check_classes(backbone: str, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Check that weights with a classifier were trained for this backbone.

    VGG-16 and VGG-Face have the same layers, and so have ResNet-50 and VGGFace2: the number of
    classes distinguishes them.

    Raises:
        AffectkitError: the weights belong to another of the paper's backbones.
    """
    if not any(backbone in backbones for _, backbones in CLASSES.values()):
        return
    for tensor in tensors.values():
        dataset, backbones = CLASSES.get(len(tensor) if tensor.ndim > 1 else 0, ("", (backbone,)))
        if backbone not in backbones:
            raise AffectkitError(
                f"{path} was trained on {dataset} ({len(tensor)} classes); "
                f"expected weights of backbone {backbone!r}, got those of "
                f"{' or '.join(map(repr, backbones))}"
            )


def load_weights(
    module: nn.Module, tensors: Mapping[str, Tensor], *, backbone: str, path: Path
) -> None:
    """Load all weights of `module`; top-level layers that it does not have are ignored.

    Such a layer is, for example, a classifier.

    Raises:
        AffectkitError: a weight is missing, has another shape or dtype or is not finite, or a layer
            has unknown weights.
    """
    expected = module.state_dict()
    layers = {key.partition(".")[0] for key in expected}
    given = {key: tensor for key, tensor in tensors.items() if key.partition(".")[0] in layers}
    faults = differences(expected, given)
    if faults:
        hint = next((text for key, text in HINTS.items() if key in tensors), "")
        raise AffectkitError(
            f"{path} does not match backbone {backbone!r}: {'; '.join(faults)}"
            + (f" ({hint})" if hint else "")
        )
    module.load_state_dict(given, strict=False)
    if ignored := sorted(set(tensors) - set(given)):
        log.info("%s: %d weights loaded; ignored: %s", path, len(given), ", ".join(ignored))


def differences(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """What differs between two state dicts: names, shapes, dtypes, values that are not finite."""
    # older files lack num_batches_tracked, which is only used if the momentum is None
    missing = [k for k in expected if k not in given and not k.endswith("num_batches_tracked")]
    unknown = [k for k in given if k not in expected]
    shapes = [
        f"{k} is {tuple(t.shape)}, expected {tuple(expected[k].shape)}"
        for k, t in given.items()
        if k in expected and t.shape != expected[k].shape
    ]
    dtypes = [
        f"{k} is {t.dtype}, expected {expected[k].dtype}"
        for k, t in given.items()
        if k in expected and t.is_floating_point() != expected[k].is_floating_point()
    ]
    infinite = [k for k, t in given.items() if k in expected and not t.isfinite().all()]
    named = (
        ("missing", missing),
        ("unknown", unknown),
        ("wrong shape", shapes),
        ("wrong dtype", dtypes),
        ("values that are not finite", infinite),
    )
    return [f"{difference}: {first_names(keys)}" for difference, keys in named if keys]


def first_names(keys: Sequence[str]) -> str:
    """The first names of a list for an error, and the number of the others."""
    more = f" and {len(keys) - MAX_NAMES} more" if len(keys) > MAX_NAMES else ""
    return ", ".join(keys[:MAX_NAMES]) + more
