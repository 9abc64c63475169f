"""Tensors into a net, or one line that says why they do not fit."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from affectkit.errors import AffectkitError

SHOWN = 3
# last layers with that many classes, what they were trained on, and the backbones made for it
CLASSES = {
    1000: ("ImageNet", ("vgg16", "resnet50")),
    2622: ("VGG-Face", ("vggface",)),
    8631: ("VGGFace2", ("vggface2",)),
}
ADVICE = {
    "conv1_1.weight": "VGG-Face goes with backbone 'vggface'",
    "conv1_7x7_s2.weight": "VGGFace2 goes with backbone 'vggface2'",
    "emo_net_2.0.conv1.weight": "EmoNet is an hourglass net, and no backbone here",
}

log = logging.getLogger(__name__)


def check_classes(backbone: str, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Tell weights of one net from those of its twin by the classes of their last layer.

    Raises:
        AffectkitError: the weights belong to another of the paper's backbones.
    """
    if not any(backbone in backbones for _, backbones in CLASSES.values()):
        return
    for tensor in tensors.values():
        trained, backbones = CLASSES.get(len(tensor) if tensor.ndim > 1 else 0, ("", (backbone,)))
        if backbone not in backbones:
            raise AffectkitError(
                f"{path} was trained on {trained} ({len(tensor)} classes): it goes with backbone "
                f"{' or '.join(map(repr, backbones))}, not {backbone!r}"
            )


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], *, name: str, path: Path) -> None:
    """Load every weight of `module`; parts it does not have, as a classifier, are left out.

    Raises:
        AffectkitError: a weight is missing or of another shape, or a part has unknown ones.
    """
    wanted = module.state_dict()
    parts = {key.partition(".")[0] for key in wanted}
    given = {key: tensor for key, tensor in tensors.items() if key.partition(".")[0] in parts}
    faults = _faults(wanted, given)
    if faults:
        advice = next((text for key, text in ADVICE.items() if key in tensors), "")
        raise AffectkitError(
            f"{path} does not fit backbone {name!r}: {'; '.join(faults)}"
            + (f" ({advice})" if advice else "")
        )
    module.load_state_dict(given, strict=False)
    if left := sorted(set(tensors) - set(given)):
        log.info("%s: %d weights taken; left out: %s", path, len(given), ", ".join(left))


def _faults(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    # older files lack this count, which only a momentum of None would ever read
    missing = [k for k in wanted if k not in given and not k.endswith("num_batches_tracked")]
    unknown = [k for k in given if k not in wanted]
    shapes = [
        f"{k} is {tuple(t.shape)}, not {tuple(wanted[k].shape)}"
        for k, t in given.items()
        if k in wanted and t.shape != wanted[k].shape
    ]
    named = (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
    return [f"{fault}: {_some(keys)}" for fault, keys in named if keys]


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
