"""A recipe's network before it is trained: its layers, and the memory that a step takes.

Both come from a net on torch's meta device, which has shapes but no numbers: nothing is allocated
or downloaded, and a network for a large machine can be looked at on a small one.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal.part import NoMemory, Part, SideBySide
from affectkit.recording import POINTS
from affectkit.training.checkpoint import build_model
from affectkit.training.learner import freeze
from affectkit.training.memory import checkpoint_gradients
from affectkit.training.recipe import ModelSection, Recipe

ROWS = 40  # of a backbone; a deeper one is shown by its blocks
BYTES = 4  # of a number in 32 bits


class Layer(NamedTuple):
    """A row of the network's table."""

    name: str
    kind: str
    shape: tuple[int, ...]  # of what it gives for one window, frames first
    parameters: int
    trained: int  # how many of them move


def one_process(recipe: Recipe) -> Recipe:
    """What one of a recipe's processes does: its share of each batch, from no weights."""
    model = recipe.model.model_copy(update={"pretrained": False, "weights": ""})
    share = math.ceil(recipe.windows.batch / recipe.training.devices)
    windows = recipe.windows.model_copy(update={"batch": share})
    training = recipe.training.model_copy(update={"devices": 1})
    update = {"model": model, "windows": windows, "training": training}
    return recipe.model_copy(update=update)


def windows_at_once(recipe: Recipe) -> int:
    """Windows that go through the net together: a process's share of a batch, or a piece of it."""
    return math.ceil(one_process(recipe).windows.batch / recipe.training.accumulate)


def empty_network(recipe: Recipe) -> CnnRnn:
    """The net of a recipe on the meta device, in training mode, with what stands still frozen."""
    with torch.device("meta"):
        model = build_model(one_process(recipe))
    freeze(model, recipe.training.frozen)
    return model


def pass_through(model: CnnRnn, recipe: Recipe, windows: int) -> Tensor:
    """Send windows without content through an empty net; gives (windows, T, A)."""
    length, size = recipe.windows.length, recipe.windows.input_size
    with torch.device("meta"):
        image = torch.empty(windows, length, 3, size, size)
        landmark = torch.empty(windows, length, POINTS, 2)
    out: Tensor = model(image, landmark)[0]
    return out


def list_layers(recipe: Recipe) -> list[Layer]:
    """The network's layers, in the order in which a window goes through them."""
    model = empty_network(recipe)
    layers: list[Layer] = []
    for name, module in _shown(model):
        if not isinstance(module, nn.Identity):
            module.register_forward_hook(_note(layers, name, recipe.model))
    pass_through(model, recipe, windows=1)
    if model.landmarks:
        before = sum(layer.name.startswith("cnn.") for layer in layers)
        shape = (recipe.windows.length, 2 * POINTS)
        layers.insert(before, Layer("landmarks", f"{POINTS} points", shape, 0, 0))
    return layers


def _shown(model: CnnRnn) -> Iterator[tuple[str, nn.Module]]:
    """The modules that make a row."""
    shown = deeper = [("cnn", model.cnn)]
    while len(deeper) <= ROWS:
        shown, deeper = deeper, [row for block in deeper for row in _inside(*block)]
        if shown == deeper:
            break
    yield from shown
    if len(model.connected):
        yield from _inside("connected", model.connected)
    memory = model.temporal
    if isinstance(memory, SideBySide):
        yield from _inside("temporal.parts", memory.parts)
    else:
        yield "temporal", memory
    yield "output", model.output
    if model.spread is not None:
        yield "spread", model.spread


def _inside(name: str, module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules in a module, or itself where it has none, or weights of its own."""
    own = any(True for _ in module.parameters(recurse=False))
    children = [] if own else [(f"{name}.{child}", part) for child, part in module.named_children()]
    return children or [(name, module)]


def _note(layers: list[Layer], name: str, keys: ModelSection) -> Callable[..., None]:
    frame_by_frame = name.startswith(("cnn", "connected"))

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:  # noqa: ANN401
        out: Tensor = output[0] if isinstance(output, tuple) else output
        shape = tuple(out.shape if frame_by_frame else out.shape[1:])
        tapped = ", tapped" if name.removeprefix("cnn.") in keys.taps else ""
        kind = _kind(module, inputs[0].shape[-1], keys) + tapped
        layers.append(Layer(name, kind, shape, *_count(module)))

    return hook


def _count(module: nn.Module) -> tuple[int, int]:
    """Parameters, and how many of them are trained."""
    parameters = list(module.parameters())
    return sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)


def _kind(module: nn.Module, width: int, keys: ModelSection) -> str:
    name = type(module).__name__
    if isinstance(module, NoMemory):
        return "none"
    if isinstance(module, Part):
        both = ", both directions" if keys.bidirectional else ""
        return f"{keys.temporal} {width} -> {keys.layers} x {keys.hidden}{both}"
    if isinstance(module, nn.Linear):
        return f"{name} {module.in_features} -> {module.out_features}"
    if isinstance(module, nn.Conv2d):
        return f"{name} {' x '.join(map(str, module.kernel_size))}"
    if isinstance(module, nn.Dropout):
        return f"{name} {module.p}"
    return name


def estimate_memory(recipe: Recipe) -> dict[str, int]:
    """Bytes that a process needs for a step of training, by what they hold.

    In mixed precision, activations take about half. What libraries work in, and pictures read
    ahead, come on top.
    """
    model = empty_network(recipe)
    if recipe.training.gradient_checkpointing:
        checkpoint_gradients(model.cnn)
    every, trained = _count(model)
    kept = activations(model, lambda: pass_through(model, recipe, windows_at_once(recipe)))
    mixed = recipe.training.precision != "32-true"
    return {
        "weights": every * BYTES,
        "gradients": trained * BYTES,
        "AdamW": 2 * trained * BYTES,
        "activations": kept // (2 if mixed else 1),
    }


def activations(model: nn.Module, forward: Callable[[], Tensor]) -> int:
    """Bytes that autograd keeps of a forward pass for the backward pass, beside the net's own.

    Autograd is asked for every tensor; those that share memory count once.
    """
    owned = {_memory(tensor) for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if _memory(tensor) not in owned:
            kept[_memory(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = forward()
    del out  # as long as it lives, no memory is used twice
    return sum(kept.values())


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
