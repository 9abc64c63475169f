"""Model, optimiser and learning rate schedule for training."""

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
from affectkit.models.device import AUTO, resolve_device
from affectkit.training.memory import enable_gradient_checkpointing
from affectkit.training.model import build_model
from affectkit.training.recipe import Recipe

Optimizer = torch.optim.Optimizer


class Learner(NamedTuple):
    """A model with its optimiser and schedule. `wrapped` is the model as Fabric calls it."""

    fabric: Fabric
    model: CnnRnn
    wrapped: Any
    optimizer: Any
    schedule: LRScheduler


def build_learner(recipe: Recipe, steps: int, device: str = AUTO) -> Learner:
    """Build model, optimiser and schedule on a device.

    Args:
        recipe: a recipe.
        steps: steps per epoch, for the schedule.
        device: see `affectkit.models.device.resolve_device`.

    Raises:
        AffectkitError: the device is not available, or the recipe names an unknown part of the
            model.
    """
    settings = recipe.training
    fabric = build_fabric(recipe, device)
    torch.manual_seed(recipe.seed)
    model = build_model(recipe).to(memory_format=torch.channels_last)
    _check_parts(model, recipe)
    _check_consecutive_windows(model, recipe)
    freeze(model, settings.frozen)
    optimizer = torch.optim.AdamW(
        _parameter_groups(model, recipe), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = SCHEDULES[settings.schedule](optimizer, steps * settings.epochs, settings.warmup)
    if settings.gradient_checkpointing:
        enable_gradient_checkpointing(model.cnn)
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
                raise unknown(f"part of the model in {key}", name, known)


def _check_consecutive_windows(model: CnnRnn, recipe: Recipe) -> None:
    if recipe.windows.order != "consecutive":
        return
    if recipe.training.devices > 1:
        raise AffectkitError(
            "windows.order = 'consecutive' needs training.devices = 1, got "
            f"{recipe.training.devices}; set one of the two"
        )
    if not model.temporal.causal:
        raise AffectkitError(
            "windows.order = 'consecutive' needs a causal temporal module: one that also uses "
            "later frames has no hidden state to carry over; set model.bidirectional = false, or "
            "windows.order = 'shuffled'"
        )


def build_fabric(recipe: Recipe, device: str = AUTO) -> Fabric:
    """Set up the device, the precision and, with several devices, the process group.

    Raises:
        AffectkitError: the device is not available, or cannot train with these settings.
    """
    settings, found = recipe.training, resolve_device(device)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if settings.precision == "16-mixed" and found.type == "cpu":
        raise AffectkitError(
            "training.precision = '16-mixed' needs a GPU; on a CPU, use 'bf16-mixed' or '32-true'"
        )
    if settings.devices > 1 and (found.index is not None or found.type == "mps"):
        raise AffectkitError(
            f"device {device!r} is one device, but training.devices = {settings.devices} processes "
            "need one each: use 'cpu' or 'cuda', or set training.devices = 1"
        )
    distributed: dict[str, Any] = {
        # frozen parts get no gradient; DDP would wait for it
        "strategy": DDPStrategy(find_unused_parameters=bool(settings.stages)),
        "plugins": [LightningEnvironment()],
    }
    try:
        fabric = Fabric(
            accelerator=found.type,
            devices=settings.devices if found.index is None else [found.index],
            precision=settings.precision,
            **(distributed if settings.devices > 1 else {}),
        )
    except (RuntimeError, ValueError) as error:
        raise AffectkitError(
            f"device {device!r} with training.devices = {settings.devices} is not available "
            f"({str(error).splitlines()[0]}); change one of them"
        ) from error
    if settings.devices > 1:
        fabric.launch()
    return fabric


def freeze(model: nn.Module, parts: Collection[str]) -> None:
    """Freeze these parts of the model, and train all others.

    A frozen part is in evaluation mode: no dropout, and its batch norms keep their statistics.
    """
    model.train()
    for name, part in model.named_children():
        part.requires_grad_(name not in parts)
        part.train(name not in parts)


def frozen_parts(recipe: Recipe, epoch: int) -> set[str]:
    """The parts of the model that are frozen in an epoch; the first epoch is 0."""
    end = 0
    for stage in recipe.training.stages:
        end += stage.epochs
        if epoch < end:
            return {*recipe.training.frozen, *stage.frozen}
    return set(recipe.training.frozen)


def _parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters by learning rate; first those with `training.learning_rate`."""
    rates = recipe.training.learning_rates
    known = dict(model.named_children())
    named = list(model.named_parameters())
    rest = [weight for name, weight in named if name.partition(".")[0] not in rates]
    groups: list[dict[str, Any]] = [{"params": rest}] if rest else []
    return groups + [{"params": list(known[n].parameters()), "lr": r} for n, r in rates.items()]


def one_cycle(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """Rise and fall to 0 along cosines, momentum inversely (Smith and Topin 2018)."""
    highest = [group["lr"] for group in optimizer.param_groups]
    # OneCycleLR divides by the warm-up's steps less one, so a warm-up of one step counts as none
    start = warmup if warmup * steps > 1 else 0.0
    return OneCycleLR(optimizer, highest, total_steps=steps, pct_start=start)


def cosine(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """Linear warm-up, then fall to 0 along a cosine (Loshchilov and Hutter 2017)."""
    warmup_steps = warmup * steps

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        return (1 + math.cos(math.pi * (step - warmup_steps) / (steps - warmup_steps))) / 2

    return LambdaLR(optimizer, factor)


def constant(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """Linear warm-up, then constant."""
    warmup_steps = warmup * steps
    return LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (warmup_steps + 1)))


SCHEDULES: dict[str, Callable[[Optimizer, int, float], LRScheduler]] = {
    "one-cycle": one_cycle,
    "cosine": cosine,
    "constant": constant,
}
