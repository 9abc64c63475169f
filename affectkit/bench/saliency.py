"""Saliency of every frame: factorised at the features, against bare forward passes and Captum."""

from typing import Any

import torch
from captum.attr import InputXGradient
from torch import Tensor

from affectkit.attribution.attribute import gradient_x_input
from affectkit.bench.timing import ratios, take_turns
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.training.stream import Chunk

FRAMES, SIZE = 80, 96
DIRECT_FRAMES = 2  # one call of Captum is a pass through the whole net: two are enough to scale


def bench_saliency() -> list[dict[str, Any]]:
    """Time both targets of 80 frames on a ResNet-10 with a GRU, as a user would run it."""
    torch.manual_seed(0)
    model = CnnRnn("resnet10t", "gru", connected=[128], hidden=128, layers=2).eval()
    image, landmark = torch.randn(FRAMES, 3, SIZE, SIZE), torch.zeros(FRAMES, 68, 2)
    direct = InputXGradient(lambda clip: model(clip, landmark[None])[0])

    @torch.no_grad()
    def forward() -> None:
        model(image[None], landmark[None])

    def factorised() -> Tensor:
        return next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)])))

    def captum() -> None:
        for frame in range(DIRECT_FRAMES):
            for affect in range(2):
                direct.attribute(image[None].requires_grad_(), target=(frame, affect))

    seconds = take_turns(
        {"bare forward pass": forward, "affectkit, every frame": factorised}, turns=5
    )
    slow = take_turns({"captum": captum}, turns=1)["captum"] * FRAMES / DIRECT_FRAMES
    rows = seconds | {f"captum, every frame (scaled from {DIRECT_FRAMES})": slow}
    return ratios(rows, "bare forward pass")
