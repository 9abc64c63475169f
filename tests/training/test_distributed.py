"""Several processes give the same results as one."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.recording import open_recording, save_recording
from affectkit.training.distributed import launch_workers, share_of_batch
from affectkit.training.fit import fit
from affectkit.training.learner import build_learner, freeze
from affectkit.training.recipe import recipe_text
from affectkit.training.step import train_step
from affectkit.training.windows import Batch
from tests.training.steps import noise_batch

# without batch norms: in two processes on a CPU each normalises with half of the frames
NO_BATCH_NORM = {"model__backbone": "test_vit", "windows__input_size": 160}


def noise(seed):
    batch = noise_batch(windows=5, frames=4, seed=seed)
    batch.annotation[1, 1:] = torch.nan  # the processes have unequal numbers of annotated frames
    return batch


def train_three_steps(settings, path):
    """Three steps; the first process saves losses, first gradient and last weights."""
    learner = build_learner(settings, 10)
    freeze(learner.model, [])
    losses, gradient = [], {}
    for seed in range(3):
        batch = Batch(*(part[share_of_batch(learner.fabric, range(5))] for part in noise(seed)))
        losses.append(train_step(learner, settings, batch).loss)
        named = learner.model.named_parameters()
        gradient = gradient or {name: weight.grad.clone() for name, weight in named}
    if learner.fabric.is_global_zero:
        torch.save([losses, gradient, learner.model.state_dict()], path)


@pytest.mark.parametrize("micro_batches", [1, 2])
def test_two_processes_give_the_gradient_of_one(micro_batches, recipe, tmp_path):
    settings = NO_BATCH_NORM | {"model__dropout": 0, "windows__augment": False,
                                "training__gradient_clip": 1e9, "training__learning_rate": 1e-4,
                                "training__micro_batches": micro_batches}  # fmt: skip
    train_three_steps(recipe(**settings), tmp_path / "one")
    two = recipe(**settings, training__devices=2)
    with launch_workers(2, train_three_steps, two, tmp_path / "two"):
        train_three_steps(two, tmp_path / "two")
    (losses, gradient, weights), (losses_2, gradient_2, weights_2) = (
        torch.load(tmp_path / name) for name in ("one", "two")
    )
    assert losses_2 == pytest.approx(losses, abs=1e-6)
    for name, expected in gradient.items():
        torch.testing.assert_close(gradient_2[name], expected, rtol=0, atol=1e-6)
    for name, expected in weights.items():
        torch.testing.assert_close(weights_2[name], expected, rtol=0, atol=1e-4)
    assert not torch.distributed.is_initialized()


def test_a_nan_loss_in_one_process_stops_all(recordings, recipe, tmp_path):
    changed = open_recording(recordings / "person_2.zarr").load()
    changed["landmark"][:] = torch.finfo().max
    save_recording(changed, recordings / "person_2.zarr", overwrite=True)
    settings = recipe(training__devices=2, training__stages="[{epochs = 1, frozen = ['cnn']}]",
                      model__landmarks=True, model__temporal="none")  # fmt: skip
    with pytest.raises(AffectkitError, match=r"became nan at step \d with windows of person_2;"):
        fit(settings, recordings, tmp_path / "run")


def fail_in_the_worker(settings):
    with launch_workers(2, fail, settings):
        build_learner(settings, 10).fabric.barrier()


def fail(settings):
    build_learner(settings, 10)
    raise ValueError("the disk is gone")


def test_the_error_contains_the_reason_of_the_worker(recipe):
    two = recipe(training__devices=2)
    with pytest.raises(AffectkitError, match="failed: ValueError: the disk is gone; the same"):
        fail_in_the_worker(two)


def test_more_processes_than_windows_in_a_batch_are_an_error():
    """A batch has fewer windows than windows.batch if all recordings together have fewer."""
    two = SimpleNamespace(world_size=2, global_rank=1)
    assert share_of_batch(two, "abc") == "b"
    with pytest.raises(AffectkitError, match="2 processes cannot share a batch of 1"):
        share_of_batch(two, "a")


SCRIPT = """
import sys
from types import SimpleNamespace
from affectkit.training.fit import fit
print(len(fit(sys.argv[1], sys.argv[2], sys.argv[3])), "epochs")
"""


def test_a_script_on_standard_input_without_main_guard_can_use_two_processes(
    recordings, recipe, tmp_path
):
    settings = recipe(training__devices=2, training__epochs=1)
    (tmp_path / "r.toml").write_text(recipe_text(settings))
    command = [sys.executable, "-", tmp_path / "r.toml", recordings, tmp_path / "run"]
    done = subprocess.run(
        list(map(str, command)), input=SCRIPT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 epochs\n", "")
