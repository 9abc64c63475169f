"""Attribution methods by name."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from affectkit.attribution.frames import Maps
from affectkit.attribution.gradients import gradient_x_input
from affectkit.attribution.integrated_gradients import STEPS, integrated_gradients
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk


class Method(NamedTuple):
    """An attribution method."""

    compute: Callable[[CnnRnn, Iterator[Chunk]], Iterator[Maps]]  # consecutive chunks
    attrs: Mapping[str, str | int]  # its settings, stored with the attribution


METHODS: dict[str, Method] = {
    "gradient_x_input": Method(
        gradient_x_input, {"baseline": "the mean grey of the backbone's normalisation"}
    ),
    "integrated_gradients": Method(
        integrated_gradients,
        {
            "baseline": "the face blurred: mean over a square a third as wide as the crop",
            "steps": STEPS,
        },
    ),
}
