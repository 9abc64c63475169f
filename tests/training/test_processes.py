"""Several processes train as one does."""

import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.recording import open_recording, save_recording
from affectkit.training.fit import fit
from affectkit.training.learner import build_learner, freeze
from affectkit.training.processes import companions, own_share
from affectkit.training.step import train_step
from affectkit.training.windows import Batch

# batch norms of two processes on a CPU see half of the frames each: this net has none
NO_BATCH_NORM = {"model__backbone": "test_vit", "windows__input_size": 160}


def noise(seed, windows=5, frames=4, size=32):
    random = torch.Generator().manual_seed(seed)
    annotation = torch.rand(windows, frames, 2, generator=random)
    annotation[1, 1:] = torch.nan  # the processes have unequal numbers of annotated frames
    return Batch(
        torch.randint(256, (windows, frames, size, size, 3), generator=random, dtype=torch.uint8),
        torch.rand(windows, frames, 68, 2, generator=random),
        annotation,
    )


def few_steps(settings, path):
    """Three steps; the first process keeps loss, first gradient and last weights."""
    learner = build_learner(settings, 10)
    freeze(learner.model, [])
    losses, gradient = [], {}
    for seed in range(3):
        batch = Batch(*(part[own_share(learner.fabric, range(5))] for part in noise(seed)))
        losses.append(train_step(learner, settings, batch).loss)
        named = learner.model.named_parameters()
        gradient = gradient or {name: weight.grad.clone() for name, weight in named}
    if learner.fabric.is_global_zero:
        torch.save([losses, gradient, learner.model.state_dict()], path)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_two_processes_have_the_gradient_of_one(accumulate, recipe, tmp_path):
    settings = NO_BATCH_NORM | {"model__dropout": 0, "windows__augment": False,
                                "training__clip": 1e9, "training__learning_rate": 1e-4,
                                "training__accumulate": accumulate}  # fmt: skip
    few_steps(recipe(**settings), tmp_path / "one")
    two = recipe(**settings, training__devices=2)
    with companions(2, few_steps, two, tmp_path / "two"):
        few_steps(two, tmp_path / "two")
    (losses, gradient, weights), (losses_2, gradient_2, weights_2) = (
        torch.load(tmp_path / name) for name in ("one", "two")
    )
    assert losses_2 == pytest.approx(losses, abs=1e-6)
    for name, expected in gradient.items():
        torch.testing.assert_close(gradient_2[name], expected, rtol=0, atol=1e-6)
    for name, expected in weights.items():
        torch.testing.assert_close(weights_2[name], expected, rtol=0, atol=1e-4)
    assert not torch.distributed.is_initialized()


def test_what_is_not_finite_in_one_process_stops_all(recordings, recipe, tmp_path):
    spoilt = open_recording(recordings / "person_2.zarr").load()
    spoilt["landmark"][:] = torch.finfo().max
    save_recording(spoilt, recordings / "person_2.zarr", overwrite=True)
    settings = recipe(training__devices=2, training__stages="[{epochs = 1, frozen = ['cnn']}]",
                      model__landmarks=True, model__temporal="none")  # fmt: skip
    with pytest.raises(AffectkitError, match=r"became nan at step \d with windows of person_2;"):
        fit(settings, recordings, tmp_path / "run")


def wait_for_each_other(settings):
    with companions(2, fail, settings):
        build_learner(settings, 10).fabric.barrier()


def fail(settings):
    build_learner(settings, 10)
    raise ValueError("the disk is gone")


def test_the_reason_of_another_process_is_told(recipe):
    two = recipe(training__devices=2)
    with pytest.raises(AffectkitError, match="failed: ValueError: the disk is gone; the same"):
        wait_for_each_other(two)


def test_a_batch_is_not_shared_by_more_processes_than_windows(recordings, recipe, tmp_path):
    settings = recipe(training__devices=2, windows__batch=1)
    with pytest.raises(AffectkitError, match="2 processes cannot share a batch of 1"):
        fit(settings, recordings, tmp_path / "run")
