"""Single training steps on noise, and the comparison of their results."""

import torch

from affectkit.training.learner import build_learner, freeze
from affectkit.training.step import train_step
from affectkit.training.windows import Batch


def noise_batch(windows=4, frames=3, size=32, seed=0):
    random = torch.Generator().manual_seed(seed)
    return Batch(
        torch.randint(256, (windows, frames, size, size, 3), generator=random, dtype=torch.uint8),
        torch.rand(windows, frames, 68, 2, generator=random),
        torch.rand(windows, frames, 2, generator=random),
    )


def one_step(settings, batch):
    """Loss, gradients and buffers after one step of a new model."""
    learner = build_learner(settings, 10)
    freeze(learner.model, [])
    torch.manual_seed(1)
    step = train_step(learner, settings, batch)
    gradients = {name: weight.grad for name, weight in learner.model.named_parameters()}
    return step.loss, gradients, dict(learner.model.named_buffers())


def assert_same(first, second, tolerance):
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=tolerance, atol=tolerance)
