"""EmoNet with 5 or 8 expressions: its valence and arousal."""

from functools import partial
from pathlib import Path

from torch import Tensor

from affectkit.faces import Crop
from affectkit.models.emonet import OUTPUT_LAYER
from affectkit.models.pretrained import read_weights
from affectkit.published.model import PublishedModel
from affectkit.published.multi_task import keep_affect_rows

EXPRESSIONS = (5, 8)  # of the two published files


def read_tensors(path: Path, *, expressions: int) -> dict[str, Tensor]:
    """The network of the published file, with valence and arousal as its only outputs."""
    tensors = read_weights(path).tensors
    return keep_affect_rows(tensors, OUTPUT_LAYER, path, expressions=expressions)


MODELS = {
    f"emonet-{expressions}": PublishedModel(
        recipe={
            "model": {"backbone": "emonet", "temporal": "none", "fc": ()},
            "windows": {"input_size": 256, "length": 1},
        },
        crop=Crop(size=256, margin=2.11, shift=0.027),
        crop_source=(
            "The authors' code crops a square around the middle of the box of the 68 landmarks, of "
            "(width + height) / 1.1 of this box: on three clips (32 frames) this was the square of "
            "margin 2.11 and shift 0.027 (medians; standard deviation of the margin 0.08), which "
            "here is also smoothed over time"
        ),
        read_tensors=partial(read_tensors, expressions=expressions),
        trained_on=("AffectNet",),
        warning=(
            "trained on single web pictures, most of them rated by one person; it has never seen a "
            "video, and its licence allows no commercial use"
        ),
    )
    for expressions in EXPRESSIONS
}
