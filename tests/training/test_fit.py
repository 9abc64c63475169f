import json
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from affectkit.errors import AffectkitError
from affectkit.models.prediction import predict_frames
from affectkit.recording import open_recording, save_recording
from affectkit.run import CHECKPOINT, HISTORY, SCHEMA, WEIGHTS, read_metadata, write_metadata
from affectkit.training.checkpoint import load_checkpoint
from affectkit.training.fit import fit
from affectkit.training.model import build_model, load_model


def same_weights(first, second):
    a, b = (load_file(run / WEIGHTS) for run in (first, second))
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_a_small_model_learns_affect_that_is_visible_in_the_pixels(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=25, windows__augment=False, training__learning_rate=5e-3)
    history = fit(settings, recordings, tmp_path / "run")
    assert history[-1]["loss"] < 0.3
    assert max(row["ccc_mean"] for row in history) > 0.5


def test_the_run_folder_contains_metadata_history_and_weights(recordings, recipe, tmp_path):
    rows = []
    fit(recipe(), recordings, tmp_path / "run", on_epoch=rows.append)
    metadata = read_metadata(tmp_path / "run")
    assert metadata["affect"] == ["valence", "arousal"]
    assert metadata["crop"] == {"size": 16}
    assert metadata["splits"]["validation"] == ["person_5", "person_6"]
    assert (metadata["input_size"], metadata["sequence_length"], metadata["seed"]) == (32, 20, 0)
    assert pd.read_csv(tmp_path / "run" / HISTORY)["epoch"].tolist() == [1, 2, 3]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert not load_model(tmp_path / "run").training


def test_the_weights_of_the_best_epoch_are_kept_not_the_last(recordings, recipe, tmp_path):
    history = fit(recipe(training__epochs=6), recordings, tmp_path / "run")
    best = max(range(6), key=lambda epoch: history[epoch]["ccc_mean"])
    again = recipe(training__epochs=6)

    class Stop(Exception):
        pass

    def stop(row):
        if row["epoch"] == best + 1:
            raise Stop

    with pytest.raises(Stop):
        fit(again, recordings, tmp_path / "best", on_epoch=stop)
    assert same_weights(tmp_path / "run", tmp_path / "best")


def test_the_same_seed_gives_the_same_weights_and_another_does_not(recordings, recipe, tmp_path):
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        fit(recipe(seed=seed, training__epochs=1), recordings, tmp_path / name)
    assert same_weights(tmp_path / "a", tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c")


def test_a_model_without_start_weights_is_built_in_the_folder_of_a_run(run, recipe, monkeypatch):
    monkeypatch.chdir(run)
    assert build_model(recipe()).head.out_features == 2
    assert not load_model(".").training


def test_weights_of_another_dtype_or_of_no_safetensors_file_are_refused(run):
    weights = load_file(run / WEIGHTS)
    save_file(weights | {"head.bias": torch.zeros(2, dtype=torch.int64)}, run / WEIGHTS)
    with pytest.raises(AffectkitError, match=r"head\.bias is \(2,\) int64, expected \(2,\)"):
        load_model(run)
    for content in (b"", b"text", bytes(100), b"\x02\0\0\0\0\0\0\0{}"):
        (run / WEIGHTS).write_bytes(content)
        with pytest.raises(AffectkitError, match=r"model\.safetensors does not match") as error:
            load_model(run)
        assert len(str(error.value).splitlines()) == 1


def test_metadata_and_recipe_of_different_runs_are_an_error(run):
    write_metadata(run, read_metadata(run) | {"input_size": 48})
    with pytest.raises(AffectkitError, match=r"input_size is 48 in one and 32 in the other"):
        load_model(run)


def test_a_finished_run_is_not_changed(recordings, recipe, tmp_path):
    fit(recipe(), recordings, tmp_path / "run")
    before = (tmp_path / "run" / CHECKPOINT).stat().st_mtime_ns
    assert len(fit(recipe(), recordings, tmp_path / "run")) == 3
    assert (tmp_path / "run" / CHECKPOINT).stat().st_mtime_ns == before


def test_a_run_of_another_recipe_or_other_recordings_is_an_error(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    with pytest.raises(AffectkitError, match="was trained with another recipe"):
        fit(recipe(training__epochs=2), recordings, tmp_path / "run")
    changed = open_recording(recordings / "person_1.zarr").load()
    changed["annotation"] *= 0.5
    save_recording(changed, recordings / "person_1.zarr", overwrite=True)
    with pytest.raises(AffectkitError, match="was trained on other recordings"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


def test_recordings_not_suitable_for_training_are_an_error(recordings, recipe, tmp_path):
    second = open_recording(recordings / "person_5.zarr").load()
    faults = {
        "subject 'person_1' is in the splits": {"subject": "person_1"},
        "different crop settings": {"crop": {"size": 112}},
    }
    for message, attrs in faults.items():
        save_recording(second.assign_attrs(attrs), recordings / "person_5.zarr", overwrite=True)
        with pytest.raises(AffectkitError, match=message):
            fit(recipe(), recordings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_error_for_a_split_without_annotations_names_it(recordings, recipe, tmp_path):
    for number in (5, 6):
        path = recordings / f"person_{number}.zarr"
        recording = open_recording(path).load()
        recording["annotation"][:] = float("nan")
        save_recording(recording, path, overwrite=True)
    with pytest.raises(
        AffectkitError, match="no recordings with annotated faces in the split 'validation'"
    ):
        fit(recipe(), recordings, tmp_path / "run")


def test_a_nan_loss_stops_training(recordings, recipe, tmp_path):
    settings = recipe(training__warmup=0)
    diverging = {"learning_rate": 1e30, "gradient_clip": 1e30}  # out of bounds
    training = settings.training.model_copy(update=diverging)
    settings = settings.model_copy(update={"training": training})
    with pytest.raises(AffectkitError, match=r"the loss became nan at step \d+"):
        fit(settings, recordings, tmp_path / "run")


class CreatesFolder:
    """Its pickle creates a folder when it is loaded."""

    def __reduce__(self):
        return (os.mkdir, ("executed",))


def test_a_checkpoint_with_pickled_code_is_not_executed(recordings, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    torch.save(CreatesFolder(), tmp_path / "run" / CHECKPOINT)
    with pytest.raises(AffectkitError, match=r"last\.ckpt: it is damaged or contains more"):
        load_checkpoint(tmp_path / "run")
    assert not (tmp_path / "executed").exists()


def test_weights_of_another_model_are_an_error(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    fit(recipe(training__epochs=1, model__hidden=7), recordings, tmp_path / "other")
    (tmp_path / "run" / WEIGHTS).write_bytes((tmp_path / "other" / WEIGHTS).read_bytes())
    with pytest.raises(AffectkitError, match=r"does not match .*recipe\.toml"):
        load_model(tmp_path / "run")
    (tmp_path / "run" / WEIGHTS).write_bytes(b"not safetensors at all")
    with pytest.raises(AffectkitError, match=r"does not match .*recipe\.toml"):
        load_model(tmp_path / "run")


def test_loading_a_run_without_a_finished_epoch_is_an_error(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / WEIGHTS).unlink()
    with pytest.raises(AffectkitError, match="has not finished an epoch"):
        load_model(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["schema"] == SCHEMA


def test_a_joint_model_starts_with_the_cnn_of_a_run(recordings, recipe, tmp_path):
    fit(recipe(model__temporal="none"), recordings, tmp_path / "cnn")
    joint = recipe(model__temporal="gru", model__weights=tmp_path / "cnn")
    started, trained = build_model(joint).state_dict(), load_file(tmp_path / "cnn" / WEIGHTS)
    for name, tensor in started.items():
        if name.startswith(("cnn.", "fc.")):
            assert torch.equal(tensor, trained[name])
    fit(joint, recordings, tmp_path / "joint")
    shutil.rmtree(tmp_path / "cnn")
    assert load_model(tmp_path / "joint")  # without the other run


def test_a_cnn_of_another_width_is_an_error(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1, model__fc=[9]), recordings, tmp_path / "cnn")
    with pytest.raises(AffectkitError, match="does not match the recipe 'quick'"):
        build_model(recipe(model__weights=tmp_path / "cnn"))


def test_standard_deviations_are_calibrated_on_the_validation_recordings(
    recordings, recipe, tmp_path
):
    settings = recipe(model__std=True, training__loss="gaussian")
    fit(settings, recordings, tmp_path / "run")
    assert torch.equal(load_checkpoint(tmp_path / "run")["model"]["calibration"], torch.ones(2))
    model = load_model(tmp_path / "run")
    assert not torch.equal(model.calibration, torch.ones(2))
    inside = []
    for number in (5, 6):
        recording = open_recording(recordings / f"person_{number}.zarr")
        out = predict_frames(model, recording, 32)
        error = abs(recording["annotation"] - out["prediction"])
        inside.append((error <= 1.645 * out["std"]).values)
    assert np.concatenate(inside).mean(0) == pytest.approx(0.9, abs=0.02)


def test_tensorboard_has_the_values_of_the_history(recordings, recipe, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = fit(recipe(training__tensorboard=True), recordings, tmp_path / "run")
    curves = events.EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    for name in ("loss", "ccc_mean"):
        values = [(event.step, event.value) for event in curves.Scalars(name)]
        expected = [(row["epoch"], pytest.approx(row[name])) for row in history]
        assert values == expected


def test_the_error_for_missing_tensorboard_names_the_extra(
    recordings, recipe, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(AffectkitError, match=r"pip install 'affectkit\[tensorboard\]'"):
        fit(recipe(training__tensorboard=True), recordings, tmp_path / "run")
