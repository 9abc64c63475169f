"""All that moves in training: the net, its optimiser and the schedule of its learning rates."""

import logging
import math
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from affectkit.errors import AffectkitError, unknown
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.training.checkpoint import build_model
from affectkit.training.memory import checkpoint_gradients, keep_memory
from affectkit.training.recipe import Recipe


class Learner(NamedTuple):
    """All that moves. `wrapped` is `model` on its device, as Fabric wants it called."""

    fabric: Fabric
    model: CnnRnn
    wrapped: Any
    optimizer: Any
    schedule: LRScheduler


def build_learner(recipe: Recipe, steps: int) -> Learner:
    """Net, optimiser and schedule for epochs of `steps` steps, on the recipe's device.

    Raises:
        AffectkitError: the device is not there, or the recipe names a part that the net has not.
    """
    settings = recipe.training
    keep_memory()
    fabric = build_fabric(recipe)
    torch.manual_seed(recipe.seed)
    model = build_model(recipe).to(memory_format=torch.channels_last)
    _check_parts(model, recipe)
    _check_memory(model, recipe)
    freeze(model, settings.frozen)
    optimizer = torch.optim.AdamW(
        _groups(model, recipe), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = SCHEDULES[settings.schedule](optimizer, steps * settings.epochs, settings.warmup)
    if settings.gradient_checkpointing:
        checkpoint_gradients(model.cnn)
    if settings.compile:
        model.cnn.compile()
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    return Learner(fabric, model, wrapped, wrapped_optimizer, schedule)


def _check_parts(model: nn.Module, recipe: Recipe) -> None:
    settings, known = recipe.training, dict(model.named_children())
    named = {
        "training.frozen": settings.frozen,
        "training.stages": [name for stage in settings.stages for name in stage.frozen],
        "training.learning_rates": list(settings.learning_rates),
    }
    for key, names in named.items():
        for name in names:
            if name not in known:
                raise unknown(f"part of the net in {key}", name, known)


def _check_memory(model: CnnRnn, recipe: Recipe) -> None:
    if recipe.windows.order != "carried":
        return
    if recipe.training.devices > 1:
        raise AffectkitError("windows.order = 'carried' goes with training.devices = 1")
    if not model.temporal.causal:
        raise AffectkitError(
            "windows.order = 'carried' is for a memory that looks back only: a net that looks both "
            "ways (model.bidirectional) has none to carry on"
        )


def build_fabric(recipe: Recipe) -> Fabric:
    """The device, its precision, and the other processes where there are any."""
    settings = recipe.training
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if settings.precision == "16-mixed" and not torch.cuda.is_available():
        raise AffectkitError(
            "training.precision = '16-mixed' needs a GPU; on a CPU take 'bf16-mixed' or '32-true'"
        )
    many: dict[str, Any] = {
        # a stage's frozen parts get no gradient, and DDP waits for it unless told so
        "strategy": DDPStrategy(find_unused_parameters=bool(settings.stages)),
        "plugins": [LightningEnvironment()],
    }
    try:
        fabric = Fabric(
            accelerator=settings.accelerator,
            devices=settings.devices,
            precision=settings.precision,
            **(many if settings.devices > 1 else {}),
        )
    except (RuntimeError, ValueError) as error:
        raise AffectkitError(
            f"training.accelerator = {settings.accelerator!r}, training.devices = "
            f"{settings.devices}: {str(error).splitlines()[0]}"
        ) from error
    if settings.devices > 1:
        fabric.launch()
    return fabric


def freeze(model: nn.Module, parts: Collection[str]) -> None:
    """Let these parts of the net stand still, and all others move, in training mode.

    A frozen part is in evaluation mode: its batch norms keep their statistics, nothing drops out.
    """
    model.train()
    for name, part in model.named_children():
        part.requires_grad_(name not in parts)
        part.train(name not in parts)


def frozen_in(recipe: Recipe, epoch: int) -> set[str]:
    """Which parts stand still in an epoch, counted from 0."""
    end = 0
    for stage in recipe.training.stages:
        end += stage.epochs
        if epoch < end:
            return {*recipe.training.frozen, *stage.frozen}
    return set(recipe.training.frozen)


def _groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """The weights by learning rate; those without one of their own come first."""
    rates = recipe.training.learning_rates
    known = dict(model.named_children())
    named = list(model.named_parameters())
    rest = [weight for name, weight in named if name.partition(".")[0] not in rates]
    groups: list[dict[str, Any]] = [{"params": rest}] if rest else []
    return groups + [{"params": list(known[n].parameters()), "lr": r} for n, r in rates.items()]


Optimizer = torch.optim.Optimizer


def one_cycle(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """Up, and down to nothing, along cosines; momentum goes the other way (Smith, Topin 2018)."""
    highest = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, highest, total_steps=steps, pct_start=warmup)


def cosine(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """Up in a straight line, and down to nothing along a cosine (Loshchilov, Hutter 2017)."""
    start = warmup * steps

    def share(step: int) -> float:
        if step < start:
            return (step + 1) / (start + 1)
        return (1 + math.cos(math.pi * (step - start) / (steps - start))) / 2

    return LambdaLR(optimizer, share)


def constant(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """Up in a straight line, and then the same to the end."""
    start = warmup * steps
    return LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (start + 1)))


SCHEDULES: dict[str, Callable[[Optimizer, int, float], LRScheduler]] = {
    "one-cycle": one_cycle,
    "cosine": cosine,
    "constant": constant,
}
