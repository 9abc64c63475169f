"""Interrupted training that resumes ends with the same weights as uninterrupted training."""

import os
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
from affectkit.training.fit import fit
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


def test_a_checkpoint_with_other_content_is_an_error(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    torch.save({"history": []}, tmp_path / "run" / CHECKPOINT)
    with pytest.raises(
        AffectkitError, match="does not match this version of affectkit or the recipe"
    ):
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
