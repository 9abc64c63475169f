"""Interrupted training that resumes ends with the same weights as uninterrupted training."""

import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from affectkit.errors import AffectkitError
from affectkit.run import CHECKPOINT, HISTORY, WEIGHTS
from affectkit.training.checkpoint import load_checkpoint
from affectkit.training.checkpoint_schema import check_checkpoint
from affectkit.training.fit import fit
from affectkit.training.learner import build_learner
from affectkit.training.recipe import recipe_text

# the rounding of a convolution depends on the number of threads
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}

# each attempt is killed shortly after its third checkpoint, during a step or while writing
KILL_THREE_TIMES = """
import os, signal, sys, time
from pathlib import Path
from affectkit.training.fit import fit
from affectkit.training.recipe import read_recipe

recipe, recordings, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
checkpoint = folder / "killed" / "last.ckpt"
for wait in (0.003, 0.021, 0.048):
    attempt = os.fork()
    if not attempt:
        fit(read_recipe(recipe), recordings, folder / "killed")
        os._exit(0)
    seen = set()
    while len(seen) < 4:
        seen.add(checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0)
    time.sleep(wait)
    os.kill(attempt, signal.SIGKILL)
    if os.waitpid(attempt, 0)[1] != signal.SIGKILL:
        sys.exit("the attempt ended before it was killed")
for run in ("killed", "whole"):
    fit(read_recipe(recipe), recordings, folder / run)
"""


def assert_same_results(first, second):
    """Two runs have the same best weights, last weights and history."""
    best = [load_file(run / WEIGHTS) for run in (first, second)]
    last = [load_checkpoint(run)["model"] for run in (first, second)]
    histories = [pd.read_csv(run / HISTORY).drop(columns="seconds") for run in (first, second)]
    assert all(a.keys() == b.keys() for a, b in (best, last))
    assert all(torch.equal(a[key], b[key]) for a, b in (best, last) for key in a)
    assert histories[0].equals(histories[1])


def interrupt_at(step):
    """A progress function that sends Ctrl-C at a step."""

    def report(_, done, total):
        if done == step:
            signal.raise_signal(signal.SIGINT)

    return report


def test_training_killed_three_times_gives_the_same_weights(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=9, training__checkpoint_seconds=0)
    (tmp_path / "r.toml").write_text(recipe_text(settings))
    command = [sys.executable, "-c", KILL_THREE_TIMES, tmp_path / "r.toml", recordings, tmp_path]
    subprocess.run(list(map(str, command)), env=ONE_THREAD, check=True)
    assert_same_results(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize(("order", "step"), [("shuffled", 1), ("shuffled", 3), ("consecutive", 5)])
def test_ctrl_c_saves_the_step_and_the_same_call_resumes(order, step, recordings, recipe, tmp_path):
    settings = recipe(windows__order=order, training__epochs=2)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, recordings, tmp_path / "interrupted", progress=interrupt_at(step))
    state = load_checkpoint(tmp_path / "interrupted")["state"]
    assert 3 * len(state["history"]) + state["step"] == step
    assert bool(state["hidden"]) == (order == "consecutive")
    for run in ("interrupted", "whole"):
        fit(settings, recordings, tmp_path / run)
    assert_same_results(tmp_path / "interrupted", tmp_path / "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_command_line_says_how_to_resume(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=50, training__checkpoint_seconds=0)
    (tmp_path / "r.toml").write_text(recipe_text(settings))
    command = [sys.executable, "-m", "affectkit.cli.main", "train", str(tmp_path / "r.toml")]
    command += ["--recordings", str(recordings), "--run", str(tmp_path / "run")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while not (tmp_path / "run" / CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert "interrupted; run the same command again to resume" in process.communicate()[1].decode()
    assert process.returncode == 130


def test_early_stopping_waits_for_patience_epochs(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=12, training__patience=2, training__learning_rate=1e-6)
    history = fit(settings, recordings, tmp_path / "run")
    scores = [row["ccc_mean"] for row in history]
    assert len(history) < 12
    assert max(scores) == max(scores[:-2])
    assert len(fit(settings, recordings, tmp_path / "run")) == len(history)


# attempt 1 is killed just after its first file was written, attempt 2 after its second, ...
KILL_AFTER_EACH_WRITE = """
import os, signal, sys
from pathlib import Path
from affectkit.training.fit import fit
from affectkit.training.recipe import read_recipe

recipe, recordings, folder = read_recipe(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
rename, written = os.replace, []

def rename_and_die(number):
    def replace(source, target):
        rename(source, target)
        written.append(target)
        if len(written) == number:
            os.kill(os.getpid(), signal.SIGKILL)
    return replace

for number in range(1, 100):
    attempt = os.fork()
    if not attempt:
        os.replace = rename_and_die(number)
        fit(recipe, recordings, folder / f"{number:02}")
        os._exit(0)
    if os.waitpid(attempt, 0)[1] != signal.SIGKILL:
        break
    fit(recipe, recordings, folder / f"{number:02}")
"""


def test_training_killed_after_any_write_resumes_to_the_same_result(recordings, recipe, tmp_path):
    (tmp_path / "r.toml").write_text(recipe_text(recipe(training__epochs=2)))
    command = [sys.executable, "-c", KILL_AFTER_EACH_WRITE, tmp_path / "r.toml", recordings]
    subprocess.run([*map(str, command), str(tmp_path / "runs")], env=ONE_THREAD, check=True)
    *killed, whole = sorted((tmp_path / "runs").iterdir())
    # recipe, metadata, card; of each epoch the checkpoint, the history and, if better, the weights
    assert len(killed) in (8, 9)
    for run in killed:
        assert_same_results(run, whole)
        assert {path.name for path in run.glob("[!.]*")} == {path.name for path in whole.iterdir()}


def change_checkpoint(run, change):
    content = load_checkpoint(run)
    change(content)
    torch.save(content, run / CHECKPOINT)


def set_to(value, *path):
    """A function that sets an item of a nested checkpoint."""

    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


def poison(content):
    content["optimizer"]["state"][0]["exp_avg"][:] = torch.nan


def swap_moments(content):
    moments = content["optimizer"]["state"]
    moments[0], moments[1] = moments[1], moments[0]


CHANGES = {
    "model.head.bias is missing": lambda content: content["model"].pop("head.bias"),
    "model.odd is unknown": set_to(torch.zeros(2), "model", "odd"),
    r"model.head.bias is \(3,\) float32, expected \(2,\) float32":
        set_to(torch.zeros(3), "model", "head.bias"),
    "model.head.bias has values that are not finite":
        set_to(torch.tensor([0, torch.nan]), "model", "head.bias"),
    "model.head.bias is 'text', expected a tensor": set_to("text", "model", "head.bias"),
    "optimizer: field required": lambda content: content.pop("optimizer"),
    "optimizer.param_groups is a list of 0, expected 1": set_to([], "optimizer", "param_groups"),
    "optimizer.state.0.exp_avg has values that are not finite": poison,
    r"optimizer.state.0.exp_avg is \(": swap_moments,
    "schedule.last_epoch is 7, expected 6": set_to(7, "schedule", "last_epoch"),
    "schedule.total_steps is 3, expected 6": set_to(3, "schedule", "total_steps"),
    "it is at step 1 after 2 epochs, but the recipe has 2 epochs of 3":
        set_to(1, "state", "step"),
    "state.step: input should be greater than": set_to(-1, "state", "step"),
    "state.loss: input should be a finite number": set_to(float("nan"), "state", "loss"),
    "row 2 of its history": set_to(5, "state", "history", 1, "epoch"),
    "state.hidden is not empty": set_to((torch.zeros(1, 3, 32),), "state", "hidden"),
}  # fmt: skip


def test_a_file_that_is_no_checkpoint_is_an_error_of_one_line(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    path = tmp_path / "run" / CHECKPOINT
    for content in (b"", b"text", b"\x80\x02}q\x00.", path.read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(AffectkitError, match=r"last\.ckpt: .* delete it to continue") as error:
            load_checkpoint(tmp_path / "run")
        assert len(str(error.value).splitlines()) == 1
    torch.save({"history": []}, path)
    with pytest.raises(AffectkitError, match=r"last\.ckpt: model: field required; restore"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


def test_training_resumes_with_another_device_setting(recipe, recordings, tmp_path):
    made = recipe(training__epochs=2)
    with pytest.raises(KeyboardInterrupt):
        fit(made, recordings, tmp_path / "run", device="auto", progress=interrupt_at(1))
    history = fit(made, recordings, tmp_path / "run", device="cpu")
    whole = fit(made, recordings, tmp_path / "whole", device="cpu")
    assert [row["loss"] for row in history] == [row["loss"] for row in whole]


def test_a_device_that_is_not_available_makes_no_run(recipe, recordings, tmp_path):
    with pytest.raises(AffectkitError, match="device 'cuda:7' is not available"):
        fit(recipe(), recordings, tmp_path / "run", device="cuda:7")
    assert not (tmp_path / "run").exists()


def test_each_fault_of_a_checkpoint_is_named(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=2)
    fit(settings, recordings, tmp_path / "run")
    learner = build_learner(settings, steps=3)
    assert check_checkpoint(load_checkpoint(tmp_path / "run"), learner, settings, 3) == ""
    for message, change in CHANGES.items():
        content = load_checkpoint(tmp_path / "run")
        change(content)
        assert re.match(message, check_checkpoint(content, learner, settings, 3))


def test_the_hidden_state_of_a_checkpoint_has_the_shape_of_the_model(recordings, recipe, tmp_path):
    settings = recipe(windows__order="consecutive")
    with pytest.raises(KeyboardInterrupt):
        fit(settings, recordings, tmp_path / "run", progress=interrupt_at(2))
    change_checkpoint(tmp_path / "run", set_to((torch.zeros(1, 2, 32),), "state", "hidden"))
    with pytest.raises(
        AffectkitError, match=r"hidden\[0\] is \(1, 2, 32\) float32, expected \(1, 3"
    ):
        fit(settings, recordings, tmp_path / "run")


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
def test_without_its_checkpoint_training_continues_from_the_best_weights(
    schedule, recordings, recipe, tmp_path
):
    class Stop(Exception):
        pass

    def stop(row):
        if row["epoch"] == 2:
            raise Stop

    settings = recipe(training__epochs=4, training__schedule=schedule)
    with pytest.raises(Stop):
        fit(settings, recordings, tmp_path / "run", on_epoch=stop)
    before = pd.read_csv(tmp_path / "run" / HISTORY)
    (tmp_path / "run" / CHECKPOINT).unlink()
    history = fit(settings, recordings, tmp_path / "run")
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert pd.read_csv(tmp_path / "run" / HISTORY)[:2].equals(before)
    schedule_state = load_checkpoint(tmp_path / "run")["schedule"]
    learner = build_learner(settings, steps=3)
    for _ in range(12):
        learner.optimizer.step()
        learner.schedule.step()
    assert schedule_state == learner.schedule.state_dict()
    assert len(fit(settings, recordings, tmp_path / "run")) == 4


def test_a_damaged_history_is_written_again_from_the_checkpoint(recordings, recipe, tmp_path):
    history = fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / HISTORY).write_bytes(b"\xff")
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    again = pd.read_csv(tmp_path / "run" / HISTORY, dtype=str).astype(float)
    assert again.to_dict("records") == history
