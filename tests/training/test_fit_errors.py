"""Errors in training are one line, and keep the best weights and the last checkpoint."""

import json
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from affectkit.errors import AffectkitError
from affectkit.models.device import memory_error_hint
from affectkit.recording import open_recording, save_recording
from affectkit.run import CHECKPOINT, METADATA, RECIPE, WEIGHTS
from affectkit.training.checkpoint import load_checkpoint
from affectkit.training.fit import fit
from affectkit.training.memory import MEMORY_HINT
from affectkit.training.recipe import recipe_text


def make_landmarks_overflow(recordings, name):
    """Give a recording landmarks that make the loss NaN."""
    changed = open_recording(recordings / f"{name}.zarr").load()
    changed["landmark"][:] = torch.finfo().max
    save_recording(changed, recordings / f"{name}.zarr", overwrite=True)


def test_the_error_for_a_nan_loss_names_step_and_recording(recordings, recipe, tmp_path):
    make_landmarks_overflow(recordings, "person_3")
    settings = recipe(model__landmarks=True, training__checkpoint_seconds=0)
    with pytest.raises(AffectkitError, match=r"became nan at step \d+ with windows of person_3;"):
        fit(settings, recordings, tmp_path / "run")
    if (tmp_path / "run" / CHECKPOINT).exists():
        weights = load_checkpoint(tmp_path / "run")["model"]
        assert all(bool(weight.isfinite().all()) for weight in weights.values())


def test_diverging_training_keeps_its_last_finite_weights(recordings, recipe, tmp_path):
    settings = recipe(training__checkpoint_seconds=0, training__weight_decay=0)
    diverging = settings.training.model_copy(update={"learning_rate": 1e30})  # out of bounds
    settings = settings.model_copy(update={"training": diverging})
    with pytest.raises(AffectkitError, match="at step"):
        fit(settings, recordings, tmp_path / "run")
    weights = load_checkpoint(tmp_path / "run")["model"]
    assert all(bool(weight.isfinite().all()) for weight in weights.values())


def test_a_run_with_missing_or_invalid_metadata_is_an_error(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    metadata = (tmp_path / "run" / METADATA).read_text()
    (tmp_path / "run" / METADATA).unlink()
    with pytest.raises(AffectkitError, match=r"has weights but no run\.json"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / METADATA).write_text(metadata[: len(metadata) // 2])
    with pytest.raises(AffectkitError, match=r"run\.json is not valid JSON"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    newer = json.dumps(json.loads(metadata) | {"schema": 99})
    (tmp_path / "run" / METADATA).write_text(newer)
    with pytest.raises(AffectkitError, match=r"newer affectkit \(schema 99, this version reads"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


@pytest.mark.parametrize(
    ("missing", "message"),
    [(RECIPE, r"was trained but has no recipe\.toml"), (WEIGHTS, r"but no model\.safetensors")],
)
def test_the_error_for_a_missing_file_names_it(missing, message, recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / missing).unlink()
    with pytest.raises(AffectkitError, match=message):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


def test_a_run_killed_before_its_first_checkpoint_starts_again(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "whole")
    (tmp_path / "run").mkdir()
    for name in (RECIPE, METADATA):
        (tmp_path / "run" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    assert len(fit(recipe(training__epochs=1), recordings, tmp_path / "run")) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__backbone": "test_resnt"}, "unknown backbone"),
        ({"model__weights": "gone.pth"}, "does not exist"),
        ({"model__temporal": "transformer", "model__heads": 3}, "multiple of model.heads"),
        ({"training__frozen": '["nose"]'}, "unknown part of the model"),
        ({"windows__quadrant_shares": "[0.9, 0.1]"}, "must be four numbers"),
        ({"training__accelerator": "gpu"}, "training.accelerator|is not available"),
        ({"training__tensorboard": True}, r"pip install 'affectkit\[tensorboard\]'"),
    ],
)
def test_a_refused_recipe_leaves_no_run_folder(
    changes, message, recordings, recipe, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    if changes.get("training__accelerator") == "gpu" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(AffectkitError, match=message):
        fit(recipe(**changes), recordings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("weights", ["run", "run/model.safetensors"])
def test_a_run_cannot_start_from_its_own_weights(weights, recordings, recipe, tmp_path):
    with pytest.raises(AffectkitError, match="the folder that training writes to"):
        fit(recipe(model__weights=str(tmp_path / weights)), recordings, tmp_path / "run")


HOLD = """
import sys
from affectkit.files import lock
with lock(sys.argv[1], "train"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_second_training_in_the_same_folder_is_refused_and_writes_nothing(
    recordings, recipe, tmp_path
):
    run = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == b"locked\n"
        message = rf"run is in use by process {first.pid} on .* \(train\)"
        with pytest.raises(AffectkitError, match=message):
            fit(recipe(training__epochs=1), recordings, run)
        assert not (run / RECIPE).exists()
        first.stdin.close()
    assert len(fit(recipe(training__epochs=1), recordings, run)) == 1


def test_too_little_memory_of_numpy_is_the_same_error_as_of_torch():
    message = r"out of memory \(Unable to allocate .*windows\.batch"
    with pytest.raises(AffectkitError, match=message), memory_error_hint(MEMORY_HINT):
        np.empty(2**60, np.uint8)


def test_a_full_disk_is_one_line_and_keeps_the_last_checkpoint(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=2)
    (tmp_path / "r.toml").write_text(recipe_text(settings))

    class Stop(Exception):
        pass

    def stop(row):
        raise Stop

    with pytest.raises(Stop):
        fit(settings, recordings, tmp_path / "run", on_epoch=stop)
    before = {name: (tmp_path / "run" / name).read_bytes() for name in (CHECKPOINT, WEIGHTS)}
    command = [sys.executable, "-m", "affectkit.cli.main", "train", tmp_path / "r.toml"]
    command += ["--recordings", recordings, "--run", tmp_path / "run"]
    full = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert full.returncode == 2
    assert full.stderr.startswith("error: ")
    assert "could not be written (" in full.stderr
    assert len(full.stderr.strip().splitlines()) == 1
    assert {name: (tmp_path / "run" / name).read_bytes() for name in before} == before
    assert [path.name for path in (tmp_path / "run").glob(".partial*")] == []
    assert len(fit(settings, recordings, tmp_path / "run")) == 2
    assert load_file(tmp_path / "run" / WEIGHTS)
