import json
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from affectkit.errors import AffectkitError
from affectkit.recording import open_recording, save_recording
from affectkit.run import CHECKPOINT, HISTORY, WEIGHTS, read_contract
from affectkit.training.checkpoint import build_model, load_checkpoint, load_model
from affectkit.training.fit import fit
from affectkit.training.stream import predict_frames


def same_weights(first, second):
    a, b = (load_file(run / WEIGHTS) for run in (first, second))
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_a_tiny_net_learns_affect_that_is_drawn_into_the_pixels(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=25, windows__augment=False, training__learning_rate=5e-3)
    history = fit(settings, recordings, tmp_path / "run")
    assert history[-1]["loss"] < 0.3
    assert max(row["ccc_mean"] for row in history) > 0.5


def test_the_run_folder_holds_what_predicting_needs(recordings, recipe, tmp_path):
    rows = []
    fit(recipe(), recordings, tmp_path / "run", on_epoch=rows.append)
    contract = read_contract(tmp_path / "run")
    assert contract["affect"] == ["valence", "arousal"]
    assert contract["crop"] == {"size": 16}
    assert contract["splits"]["validation"] == ["person_5", "person_6"]
    assert (contract["input_size"], contract["sequence_length"], contract["seed"]) == (32, 20, 0)
    assert pd.read_csv(tmp_path / "run" / HISTORY)["epoch"].tolist() == [1, 2, 3]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert not load_model(tmp_path / "run").training


def test_the_best_weights_are_kept_not_the_last(recordings, recipe, tmp_path):
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


def test_a_finished_training_is_left_alone(recordings, recipe, tmp_path):
    fit(recipe(), recordings, tmp_path / "run")
    before = (tmp_path / "run" / CHECKPOINT).stat().st_mtime_ns
    assert len(fit(recipe(), recordings, tmp_path / "run")) == 3
    assert (tmp_path / "run" / CHECKPOINT).stat().st_mtime_ns == before


def test_a_run_of_another_recipe_or_other_data_is_refused(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    with pytest.raises(AffectkitError, match="was trained by another recipe"):
        fit(recipe(training__epochs=2), recordings, tmp_path / "run")
    changed = open_recording(recordings / "person_1.zarr").load()
    changed["annotation"] *= 0.5
    save_recording(changed, recordings / "person_1.zarr", overwrite=True)
    with pytest.raises(AffectkitError, match="was trained on other recordings"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


def test_recordings_that_cannot_be_trained_on_are_refused(recordings, recipe, tmp_path):
    second = open_recording(recordings / "person_5.zarr").load()
    faults = {
        "subject 'person_1' is in the splits": {"subject": "person_1"},
        "cut by different crop contracts": {"crop": {"size": 112}},
    }
    for message, attrs in faults.items():
        save_recording(second.assign_attrs(attrs), recordings / "person_5.zarr", overwrite=True)
        with pytest.raises(AffectkitError, match=message):
            fit(recipe(), recordings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_split_without_annotations_is_named(recordings, recipe, tmp_path):
    for number in (5, 6):
        path = recordings / f"person_{number}.zarr"
        recording = open_recording(path).load()
        recording["annotation"][:] = float("nan")
        save_recording(recording, path, overwrite=True)
    with pytest.raises(
        AffectkitError, match="no recordings with annotated faces in the split 'validation'"
    ):
        fit(recipe(), recordings, tmp_path / "run")


def test_a_loss_that_is_not_finite_stops_and_says_where(recordings, recipe, tmp_path):
    settings = recipe(training__learning_rate=1e30, training__clip=1e30, training__warmup=0)
    with pytest.raises(AffectkitError, match=r"the loss became nan at step \d+"):
        fit(settings, recordings, tmp_path / "run")


class Malice:
    def __reduce__(self):
        return (os.mkdir, ("executed",))


def test_a_pickle_in_place_of_the_checkpoint_is_refused(recordings, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    torch.save(Malice(), tmp_path / "run" / CHECKPOINT)
    with pytest.raises(AffectkitError, match=r"last\.ckpt was refused"):
        load_checkpoint(tmp_path / "run")
    assert not (tmp_path / "executed").exists()


def test_weights_of_another_net_are_refused(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    fit(recipe(training__epochs=1, model__hidden=7), recordings, tmp_path / "other")
    (tmp_path / "run" / WEIGHTS).write_bytes((tmp_path / "other" / WEIGHTS).read_bytes())
    with pytest.raises(AffectkitError, match=r"does not fit .*recipe\.toml"):
        load_model(tmp_path / "run")
    (tmp_path / "run" / WEIGHTS).write_bytes(b"not safetensors at all")
    with pytest.raises(AffectkitError, match=r"does not fit .*recipe\.toml"):
        load_model(tmp_path / "run")


def test_a_run_cut_off_before_its_first_epoch_says_so(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    (tmp_path / "run" / WEIGHTS).unlink()
    with pytest.raises(AffectkitError, match="has not finished an epoch"):
        load_model(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["schema"] == 1


def test_a_joint_net_starts_from_the_cnn_of_a_run(recordings, recipe, tmp_path):
    fit(recipe(model__temporal="none"), recordings, tmp_path / "cnn")
    joint = recipe(model__temporal="gru", model__weights=tmp_path / "cnn")
    started, trained = build_model(joint).state_dict(), load_file(tmp_path / "cnn" / WEIGHTS)
    for name, tensor in started.items():
        if name.startswith(("cnn.", "connected.")):
            assert torch.equal(tensor, trained[name])
    fit(joint, recordings, tmp_path / "joint")
    shutil.rmtree(tmp_path / "cnn")
    assert load_model(tmp_path / "joint")  # needs the other run no more


def test_a_cnn_of_another_width_is_refused(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1, model__connected=[9]), recordings, tmp_path / "cnn")
    with pytest.raises(AffectkitError, match="does not fit recipe 'quick'"):
        build_model(recipe(model__weights=tmp_path / "cnn"))


def test_spreads_are_calibrated_on_the_validation_recordings(recordings, recipe, tmp_path):
    settings = recipe(model__spread=True, training__loss="gaussian")
    fit(settings, recordings, tmp_path / "run")
    assert torch.equal(load_checkpoint(tmp_path / "run")["model"]["calibration"], torch.ones(2))
    model = load_model(tmp_path / "run")
    assert not torch.equal(model.calibration, torch.ones(2))
    inside = []
    for number in (5, 6):
        recording = open_recording(recordings / f"person_{number}.zarr")
        out = predict_frames(model, recording, 32)
        error = abs(recording["annotation"] - out["prediction"])
        inside.append((error <= 1.645 * out["spread"]).values)
    assert np.concatenate(inside).mean(0) == pytest.approx(0.9, abs=0.02)


def test_tensorboard_shows_what_the_history_holds(recordings, recipe, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = fit(recipe(training__tensorboard=True), recordings, tmp_path / "run")
    shown = events.EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    for name in ("loss", "ccc_mean"):
        values = [(event.step, event.value) for event in shown.Scalars(name)]
        expected = [(row["epoch"], pytest.approx(row[name])) for row in history]
        assert values == expected


def test_without_tensorboard_the_recipe_says_what_to_install(
    recordings, recipe, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(AffectkitError, match=r"pip install 'affectkit\[tensorboard\]'"):
        fit(recipe(training__tensorboard=True), recordings, tmp_path / "run")
