"""Networks of HSEmotion (now EmotiEffLib) that predict valence and arousal.

Its third such network, `mbf_va_mtl`, is a MobileFaceNet, which timm does not have.
"""

from functools import partial
from pathlib import Path

from torch import Tensor

from affectkit.faces import Crop
from affectkit.models.pretrained import read_weights
from affectkit.published.model import PublishedModel
from affectkit.published.multi_task import keep_affect_rows

EXPRESSIONS = 8


def read_tensors(path: Path, *, output_layer: str) -> dict[str, Tensor]:
    """The network of a state dict, with valence and arousal as its only outputs.

    Their training code replaces the last layer of EfficientNet by a sequence of one layer.
    """
    tensors = {
        name.replace(f"{output_layer}.0.", f"{output_layer}."): tensor
        for name, tensor in read_weights(path).tensors.items()
    }
    return keep_affect_rows(tensors, output_layer, path, expressions=EXPRESSIONS)


def _model(backbone: str, output_layer: str) -> PublishedModel:
    return PublishedModel(
        recipe={
            "model": {
                "backbone": backbone,
                "normalisation": "imagenet",
                "temporal": "none",
                "fc": (),
            },
            "windows": {"input_size": 224, "length": 1},
        },
        crop=Crop(size=224, margin=1.32, shift=-0.105),
        crop_source=(
            "The authors' code stretches the box of the detector MTCNN to a square: on three clips "
            "(32 frames) the square of the same area and centre had margin 1.32 and shift -0.105 "
            "(medians); here the face keeps its proportions, so it is a sixth narrower and taller"
        ),
        read_tensors=partial(read_tensors, output_layer=output_layer),
        trained_on=("VGGFace2", "AffectNet"),
        warning=(
            "trained on single web pictures, most of them rated by one person; it has never seen a "
            "video"
        ),
    )


MODELS = {
    "hsemotion-b0-va": _model("tf_efficientnet_b0", "classifier"),
    "hsemotion-mobilevit-va": _model("mobilevitv2_150", "head.fc"),
}
