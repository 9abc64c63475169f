"""Attribution of every frame: factorised at the features, against forward passes and Captum."""

from typing import Any

import torch
from captum.attr import InputXGradient
from torch import Tensor

from affectkit.attribution.gradients import gradient_x_input
from affectkit.bench.measuring import ratio_rows, time_alternately
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk

FRAMES, SIZE = 80, 96
CAPTUM_FRAMES = 2  # each call of Captum runs the whole model: the time of two frames is scaled


def bench_saliency() -> list[dict[str, Any]]:
    """Time both outputs of 80 frames of a ResNet-10 with a GRU, in the way that users run it."""
    torch.manual_seed(0)
    model = CnnRnn("resnet10t", "gru", fc=[128], hidden=128, layers=2).eval()
    image, landmark = torch.randn(FRAMES, 3, SIZE, SIZE), torch.zeros(FRAMES, 68, 2)
    input_x_gradient = InputXGradient(lambda clip: model(clip, landmark[None])[0])

    @torch.no_grad()
    def forward() -> None:
        model(image[None], landmark[None])

    def factorised() -> Tensor:
        return next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)]))).attribution

    def captum() -> None:
        for frame in range(CAPTUM_FRAMES):
            for affect in range(2):
                input_x_gradient.attribute(image[None].requires_grad_(), target=(frame, affect))

    seconds = time_alternately(
        {"forward pass": forward, "affectkit, every frame": factorised}, turns=5
    )
    captum_seconds = time_alternately({"captum": captum}, turns=1)["captum"]
    name = f"captum, every frame (scaled from {CAPTUM_FRAMES})"
    rows = seconds | {name: captum_seconds * FRAMES / CAPTUM_FRAMES}
    return ratio_rows(rows, "forward pass")
