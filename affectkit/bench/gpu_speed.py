"""Speeds of `bench.gpu`: prediction, attribution and training steps, each against a baseline."""

from collections.abc import Callable, Iterator

import torch

from affectkit.bench.gpu_setup import (
    CPU,
    Row,
    Setup,
    attribute_action,
    predict_action,
    speed_row,
)
from affectkit.bench.measuring import time_alternately
from affectkit.models.batch_norm import fuse_batch_norms
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import DEVICE_PRECISIONS, allow_tf32, evaluation_mode
from affectkit.recording import AFFECT, POINTS


def backbone_action(setup: Setup, model: CnnRnn) -> Callable[[], object]:
    """The CNN alone on tensors that are in the memory of the device."""
    face = torch.from_numpy(setup.recording(setup.frames)["face"].values).to(setup.device)
    batches = [model.normalise(batch) for batch in torch.split(face, setup.chunk)]
    cnn = setup.model().cnn.to(setup.device)

    @torch.inference_mode()
    def backbone() -> object:
        with evaluation_mode(cnn, setup.device):
            outputs = [cnn(batch) for batch in batches]
        return outputs[-1].cpu()

    return backbone


def measure_prediction(setup: Setup) -> Iterator[Row]:
    """Prediction in each precision against the backbone, and against the CPU."""
    model = fuse_batch_norms(setup.model(), setup.size).to(setup.device)
    precisions = DEVICE_PRECISIONS[setup.device.type]
    actions = {
        each: predict_action(setup, model, setup.device, setup.frames, each) for each in precisions
    }
    seconds = time_alternately(
        {"backbone": backbone_action(setup, model), **actions}, turns=setup.turns
    )
    speed = {name: setup.frames / value for name, value in seconds.items()}
    for precision in precisions:
        yield speed_row(
            f"prediction in {precision}: {speed[precision]:.0f} frames/s",
            f"backbone alone in 32: {speed['backbone']:.0f} frames/s",
            speed[precision] / speed["backbone"],
            "at least 0.9",
        )
    if setup.device.type != "cpu":
        on_cpu = fuse_batch_norms(setup.model(), setup.size)
        action = predict_action(setup, on_cpu, CPU, setup.cpu_frames, "32")
        yield against_cpu("prediction", speed["32"], setup, action)


def measure_attribution(setup: Setup) -> Iterator[Row]:
    """Attribution of every frame against the backbone, and against the CPU."""
    model = setup.model().to(setup.device)
    actions = {
        "backbone": backbone_action(setup, model),
        "attribution": attribute_action(setup, model, setup.device, setup.frames),
    }
    seconds = time_alternately(actions, turns=setup.turns)
    speed = {name: setup.frames / value for name, value in seconds.items()}
    yield speed_row(
        f"attribution: {speed['attribution']:.0f} frames/s",
        f"backbone alone in 32: {speed['backbone']:.0f} frames/s",
        speed["attribution"] / speed["backbone"],
        "at least 0.15",  # one forward and two backward passes, each twice a forward pass
    )
    if setup.device.type != "cpu":
        action = attribute_action(setup, setup.model(), CPU, setup.cpu_frames)
        yield against_cpu("attribution", speed["attribution"], setup, action)


def against_cpu(what: str, speed: float, setup: Setup, action: Callable[[], object]) -> Row:
    """The speed of the GPU against that of an action on the CPU."""
    cpu_speed = setup.cpu_frames / time_alternately({"cpu": action}, turns=1)["cpu"]
    return speed_row(
        f"{what}: {speed:.0f} frames/s",
        f"on the CPU, {torch.get_num_threads()} threads: {cpu_speed:.0f} frames/s",
        speed / cpu_speed,
    )


def step_action(
    setup: Setup,
    precision: str = "32-true",
    *,
    tf32: bool = False,
    contiguous: bool = False,
    compiled: bool = False,
) -> Callable[[], object]:
    """One step of training on noise, from tensors in the memory of the CPU."""
    from affectkit.training.learner import build_learner
    from affectkit.training.recipe import read_recipe
    from affectkit.training.step import train_step
    from affectkit.training.windows import Batch

    count, length = setup.windows
    recipe = read_recipe(
        "demo",
        model={"backbone": setup.backbone},
        windows={"batch": count, "length": length, "input_size": setup.size},
        training={"precision": precision, "compile": compiled},
    )
    learner = build_learner(recipe, 1000, str(setup.device))
    learner.wrapped.train()
    if contiguous:
        learner.model.to(memory_format=torch.contiguous_format)
        learner.model.cnn.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(),))
    batch = Batch(
        torch.randint(256, (count, length, setup.size, setup.size, 3), dtype=torch.uint8),
        torch.rand(count, length, POINTS, 2),
        torch.rand(count, length, len(AFFECT)),
    )

    def step() -> object:
        with allow_tf32(tf32):
            return train_step(learner, recipe, batch)  # its loss is a number: the GPU has finished

    return step


def measure_training(setup: Setup) -> Iterator[Row]:
    """Training steps in other precisions and another memory layout, against 32 bit."""
    actions = {
        "32": step_action(setup),
        "bf16": step_action(setup, precision="bf16-mixed"),
        "32, contiguous instead of channels-last": step_action(setup, contiguous=True),
    }
    if setup.device.type == "cuda":
        actions["TF32"] = step_action(setup, tf32=True)
    yield from step_rows(setup, time_alternately(actions, turns=setup.turns))


def measure_compiled(setup: Setup) -> Iterator[Row]:
    """Training steps of a compiled CNN, on a CUDA GPU."""
    actions = {
        "32": step_action(setup),
        "bf16, compiled": step_action(setup, precision="bf16-mixed", compiled=True),
    }
    yield from step_rows(setup, time_alternately(actions, turns=setup.turns))


def step_rows(setup: Setup, seconds: dict[str, float]) -> Iterator[Row]:
    """Rows of training steps against that in 32 bit."""
    frames = setup.windows[0] * setup.windows[1]
    for name, value in seconds.items():
        if name != "32":
            yield speed_row(
                f"training step in {name}: {frames / value:.0f} frames/s",
                f"in 32, channels-last: {frames / seconds['32']:.0f} frames/s",
                seconds["32"] / value,
            )


SPEEDS: dict[str, Callable[[Setup], Iterator[Row]]] = {
    "speed of prediction": measure_prediction,
    "speed of attribution": measure_attribution,
    "speed of training": measure_training,
    "speed of compiled training": measure_compiled,
}
