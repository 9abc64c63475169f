"""Valence and arousal read from the probabilities of seven expressions.

Each expression has a place in the plane of valence and arousal; the prediction is the mean of these
places, weighted by the probabilities of the CNN. It needs no valence-arousal labels, so it is a
baseline: it can neither leave the polygon of the places nor tell a mild smile from a broad one that
the CNN is as sure about.
"""

from pathlib import Path

import torch
from torch import Tensor

from affectkit.faces import Crop
from affectkit.models.mini_xception import EXPRESSIONS, rename_mini_xception_layers
from affectkit.models.pretrained import read_weights
from affectkit.published.model import PublishedModel
from affectkit.recording import AFFECT

# Russell & Mehrabian (1977), Evidence for a three-factor theory of emotions, table 1, means of
# pleasure and arousal. One copy prints .61 for the arousal of happy.
PLACES = {
    "angry": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happy": (0.81, 0.51),
    "sad": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The CNN of the published file, with the places as the weights of the output layer."""
    renamed = rename_mini_xception_layers(read_weights(path), path)
    places = torch.tensor([PLACES[name] for name in EXPRESSIONS])
    return {
        **{f"cnn.{name}": tensor for name, tensor in renamed.items()},
        "head.weight": places.T.contiguous(),
        "head.bias": torch.zeros(len(AFFECT)),
    }


MODELS = {
    "expression-circumplex": PublishedModel(
        recipe={
            "model": {"backbone": "mini_xception_expressions", "temporal": "none", "fc": ()},
            "windows": {"input_size": 64, "length": 1},
        },
        crop=Crop(),
        crop_source=(
            "FER2013 shows the face from the chin to the middle of the forehead; its exact crop is "
            "not published, and margins from 1.3 to 1.8 gave nearly the same valence on a clip"
        ),
        read_tensors=read_tensors,
        trained_on=("FER2013",),
        warning=(
            "trained on posed and web pictures of 7 expressions, never on valence or arousal: a "
            "baseline, not a measurement"
        ),
    )
}
