"""What goes wrong in training is said in one line, and nothing that was good is lost."""

import json
import resource
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from affectkit.errors import AffectkitError
from affectkit.recording import open_recording, save_recording
from affectkit.run import CHECKPOINT, CONTRACT, RECIPE, WEIGHTS
from affectkit.training.checkpoint import load_checkpoint
from affectkit.training.fit import fit
from affectkit.training.recipe import recipe_text


def spoil(recordings, name):
    """Give a recording landmarks that no net can take."""
    spoilt = open_recording(recordings / f"{name}.zarr").load()
    spoilt["landmark"][:] = torch.finfo().max
    save_recording(spoilt, recordings / f"{name}.zarr", overwrite=True)


def test_a_loss_that_is_not_finite_names_step_and_recording(recordings, recipe, tmp_path):
    spoil(recordings, "person_3")
    settings = recipe(model__landmarks=True, training__checkpoint_seconds=0)
    with pytest.raises(AffectkitError, match=r"became nan at step \d+ with windows of person_3;"):
        fit(settings, recordings, tmp_path / "run")
    if (tmp_path / "run" / CHECKPOINT).exists():
        weights = load_checkpoint(tmp_path / "run")["model"]
        assert all(bool(weight.isfinite().all()) for weight in weights.values())


def test_a_diverging_training_keeps_its_last_good_weights(recordings, recipe, tmp_path):
    settings = recipe(training__learning_rate=1e30, training__checkpoint_seconds=0,
                      training__weight_decay=0)  # fmt: skip
    with pytest.raises(AffectkitError, match="at step"):
        fit(settings, recordings, tmp_path / "run")
    weights = load_checkpoint(tmp_path / "run")["model"]
    assert all(bool(weight.isfinite().all()) for weight in weights.values())


def test_a_run_without_its_contract_is_not_guessed_at(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    contract = (tmp_path / "run" / CONTRACT).read_text()
    (tmp_path / "run" / CONTRACT).unlink()
    with pytest.raises(AffectkitError, match=r"has weights but no run\.json"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / CONTRACT).write_text(contract[: len(contract) // 2])
    with pytest.raises(AffectkitError, match=r"run\.json is not JSON"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    newer = json.dumps(json.loads(contract) | {"schema": 99})
    (tmp_path / "run" / CONTRACT).write_text(newer)
    with pytest.raises(AffectkitError, match="has schema 99, this affectkit reads"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


@pytest.mark.parametrize(
    ("lost", "message"),
    [(RECIPE, r"has lost its recipe\.toml"), (WEIGHTS, r"has lost its model\.safetensors")],
)
def test_a_run_that_lost_a_part_says_which(lost, message, recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / lost).unlink()
    with pytest.raises(AffectkitError, match=message):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


def test_a_run_killed_before_its_first_checkpoint_begins_anew(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "whole")
    (tmp_path / "run").mkdir()
    for name in (RECIPE, CONTRACT):
        (tmp_path / "run" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    assert len(fit(recipe(training__epochs=1), recordings, tmp_path / "run")) == 1


def test_a_recipe_whose_net_could_not_be_built_can_be_mended(recordings, recipe, tmp_path):
    with pytest.raises(AffectkitError, match="unknown backbone"):
        fit(recipe(model__backbone="test_resnt"), recordings, tmp_path / "run")
    assert len(fit(recipe(training__epochs=1), recordings, tmp_path / "run")) == 1


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


def test_too_little_memory_is_one_line_that_says_what_to_lower(recordings, recipe, tmp_path):
    huge = recipe(model__temporal="gru", model__hidden=10**7)
    with pytest.raises(AffectkitError, match=r"memory does not suffice .* lower windows\.batch"):
        fit(huge, recordings, tmp_path / "run")
