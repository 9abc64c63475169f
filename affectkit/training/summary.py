"""Summary of a recipe before training: its layers, the memory of a step, the time of an epoch.

Layers and memory come from a model on torch's meta device, which has shapes but no values. Nothing
is allocated or downloaded, so a small machine can show a model for a large one.
"""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from affectkit.files import StrPath
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import AUTO
from affectkit.models.temporal.base import Identity, Parallel, TemporalModule
from affectkit.recording import AFFECT, POINTS
from affectkit.training.learner import Learner, build_learner, freeze
from affectkit.training.memory import enable_gradient_checkpointing
from affectkit.training.model import build_model
from affectkit.training.recipe import Recipe
from affectkit.training.recipe_sections import ModelSection
from affectkit.training.run_metadata import read_splits
from affectkit.training.sampling import check_frames_are_video, plan_epoch
from affectkit.training.step import train_step
from affectkit.training.windows import Batch, open_window_source

MAX_ROWS = 40  # for the backbone; of a deeper one, its blocks are listed
BYTES = 4  # of a 32-bit number
LONG_STEP = 0.8  # seconds; no larger batch is timed after a step that took longer


class LayerSummary(NamedTuple):
    """A row of the table of layers."""

    name: str
    kind: str
    shape: tuple[int, ...]  # of the output for one window, frames first
    parameters: int
    trained: int  # parameters that are not frozen


def list_layers(recipe: Recipe) -> list[LayerSummary]:
    """The layers of the model, in the order of the forward pass."""
    model = build_meta_model(recipe)
    layers: list[LayerSummary] = []
    for name, module in _listed_modules(model):
        if not isinstance(module, nn.Identity):
            module.register_forward_hook(_layer_hook(layers, name, recipe.model))
    meta_forward(model, recipe, windows=1)
    if model.landmarks:
        position = sum(layer.name.startswith("cnn.") for layer in layers)
        shape = (recipe.windows.length, 2 * POINTS)
        layers.insert(position, LayerSummary("landmarks", f"{POINTS} points", shape, 0, 0))
    return layers


def estimate_memory(recipe: Recipe) -> dict[str, int]:
    """Bytes that each process needs for a training step, by purpose.

    In mixed precision, activations take about half. The workspace of libraries and the batch that
    is read in advance are not included.
    """
    model = build_meta_model(recipe)
    if recipe.training.gradient_checkpointing:
        enable_gradient_checkpointing(model.cnn)
    parameters, trained = _count_parameters(model)
    windows = micro_batch_size(recipe)
    activations = activation_bytes(model, lambda: meta_forward(model, recipe, windows))
    mixed = recipe.training.precision != "32-true"
    return {
        "weights": parameters * BYTES,
        "gradients": trained * BYTES,
        "AdamW": 2 * trained * BYTES,
        "activations": activations // (2 if mixed else 1),
    }


def micro_batch_size(recipe: Recipe) -> int:
    """Windows in one forward pass: the batch, divided by processes and by micro-batches."""
    return math.ceil(single_process_recipe(recipe).windows.batch / recipe.training.micro_batches)


def single_process_recipe(recipe: Recipe) -> Recipe:
    """The recipe of one of several processes: its share of the batch, without weights to load."""
    model = recipe.model.model_copy(update={"pretrained": False, "weights": ""})
    share = math.ceil(recipe.windows.batch / recipe.training.devices)
    windows = recipe.windows.model_copy(update={"batch": share})
    training = recipe.training.model_copy(update={"devices": 1})
    update = {"model": model, "windows": windows, "training": training}
    return recipe.model_copy(update=update)


def build_meta_model(recipe: Recipe) -> CnnRnn:
    """The model of a recipe on the meta device, in training mode, with its frozen parts."""
    with torch.device("meta"):
        model = build_model(single_process_recipe(recipe))
    freeze(model, recipe.training.frozen)
    return model


def meta_forward(model: CnnRnn, recipe: Recipe, windows: int) -> Tensor:
    """The forward pass of a model on the meta device; returns (windows, T, A)."""
    length, size = recipe.windows.length, recipe.windows.input_size
    with torch.device("meta"):
        image = torch.empty(windows, length, 3, size, size)
        landmark = torch.empty(windows, length, POINTS, 2)
    out: Tensor = model(image, landmark)[0]
    return out


def activation_bytes(model: nn.Module, forward: Callable[[], Tensor]) -> int:
    """Bytes of the tensors that autograd saves for the backward pass, without the weights.

    Tensors that share their memory count once.
    """
    owned = {_storage_id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if _storage_id(tensor) not in owned:
            saved[_storage_id(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = forward()
    del out  # until here it keeps all tensors alive, so that no storage is used twice
    return sum(saved.values())


def _storage_id(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _listed_modules(model: CnnRnn) -> Iterator[tuple[str, nn.Module]]:
    """The modules that the table lists, with their names."""
    listed = deeper = [("cnn", model.cnn)]
    while len(deeper) <= MAX_ROWS:
        listed, deeper = deeper, [row for block in deeper for row in _children(*block)]
        if listed == deeper:
            break
    yield from listed
    if len(model.fc):
        yield from _children("fc", model.fc)
    if isinstance(model.temporal, Parallel):
        yield from _children("temporal.branches", model.temporal.branches)
    else:
        yield "temporal", model.temporal
    yield "head", model.head
    if model.std_head is not None:
        yield "std_head", model.std_head


def _children(name: str, module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The children of a module; the module itself if it has none, or weights of its own."""
    own = any(True for _ in module.parameters(recurse=False))
    children = [] if own else [(f"{name}.{child}", part) for child, part in module.named_children()]
    return children or [(name, module)]


def _layer_hook(layers: list[LayerSummary], name: str, keys: ModelSection) -> Callable[..., None]:
    per_frame = name.startswith(("cnn", "fc"))

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:  # noqa: ANN401
        out: Tensor = output[0] if isinstance(output, tuple) else output
        shape = tuple(out.shape if per_frame else out.shape[1:])
        marked = ", feature layer" if name.removeprefix("cnn.") in keys.feature_layers else ""
        kind = _kind(module, inputs[0].shape[-1], keys) + marked
        layers.append(LayerSummary(name, kind, shape, *_count_parameters(module)))

    return hook


def _count_parameters(module: nn.Module) -> tuple[int, int]:
    """All parameters, and those that are trained."""
    parameters = list(module.parameters())
    return sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)


def _kind(module: nn.Module, width: int, keys: ModelSection) -> str:
    name = type(module).__name__
    if isinstance(module, Identity):
        return "none"
    if isinstance(module, TemporalModule):
        both = ", both directions" if keys.bidirectional else ""
        return f"{keys.temporal} {width} -> {keys.layers} x {keys.hidden}{both}"
    if isinstance(module, nn.Linear):
        return f"{name} {module.in_features} -> {module.out_features}"
    if isinstance(module, nn.Conv2d):
        return f"{name} {' x '.join(map(str, module.kernel_size))}"
    if isinstance(module, nn.Dropout):
        return f"{name} {module.p}"
    return name


class Throughput(NamedTuple):
    """Measured time of training steps, without reading recordings."""

    frame: float  # seconds for each frame
    step: float  # seconds for each step in addition, for example for the optimiser
    timed: int  # frames in the largest step that was timed
    device: str
    devices: int  # devices that work in parallel; processes on a CPU share its cores

    def seconds(self, frames: int, batch: int) -> float:
        """Seconds for `frames` frames, in steps of `batch` frames on each device."""
        return frames / self.devices * (self.frame + self.step / batch)


def measure_throughput(recipe: Recipe, device: str = AUTO) -> Throughput:
    """Time training steps on noise: augmentation, forward and backward pass, optimiser step.

    The first step has one window of two frames. Each following step has four times as many frames,
    until a step takes longer than 0.8 s or has a whole batch. Each size is timed twice, and the
    faster time counts. The two largest sizes give the time per frame and the time per step.
    """
    single = single_process_recipe(recipe)
    learner = build_learner(single, steps=1000, device=device)
    length, batch = single.windows.length, single.windows.batch
    _time_step(learner, single, 1, min(2, length))  # warm-up: memory and kernels
    timed = [(0, 0.0)]
    for windows, frames in _step_sizes(batch, length):
        seconds = min(_time_step(learner, single, windows, frames) for _ in range(2))
        timed.append((windows * frames, seconds))
        if len(timed) > 2 and seconds > LONG_STEP:
            break
    (fewer, shorter), (frames, longest) = timed[-2:]
    whole_batch = frames == batch * length  # then no extrapolation is needed
    slope = (longest - shorter) / (frames - fewer)
    per_frame = longest / frames if whole_batch or longest < shorter else slope
    used = learner.fabric.device
    devices = 1 if used.type == "cpu" else recipe.training.devices
    per_step = max(0.0, longest - frames * per_frame)
    return Throughput(per_frame, per_step, frames, str(used), devices)


def _step_sizes(batch: int, length: int) -> list[tuple[int, int]]:
    """Windows and frames of each, from two frames to a whole batch."""
    frames = [min(2 * 4**power, length) for power in range(length.bit_length())]
    windows = [min(4**power, batch) for power in range(batch.bit_length())]
    return sorted({(1, each) for each in frames} | {(each, length) for each in windows})


def _time_step(learner: Learner, recipe: Recipe, windows: int, length: int) -> float:
    size = recipe.windows.input_size
    batch = Batch(
        torch.randint(256, (windows, length, size, size, 3), dtype=torch.uint8),
        torch.rand(windows, length, POINTS, 2),
        torch.rand(windows, length, len(AFFECT)),
    )
    began = time.perf_counter()
    train_step(learner, recipe, batch)
    return time.perf_counter() - began


def frames_in_epoch(recipe: Recipe, recordings: StrPath) -> int:
    """Frames in an epoch of a recipe on a folder of recordings, padding included.

    Raises:
        AffectkitError: there are no recordings, or they are not suitable for training.
    """
    splits = read_splits(recipe, Path(recordings))
    sources = [open_window_source(recording) for recording in splits["train"]]
    check_frames_are_video(sources, recipe)
    batches = plan_epoch(sources, recipe.windows, (recipe.seed, 0))
    return sum(map(len, batches)) * recipe.windows.length
