"""Predictions that are stored and up to date are not computed again."""

import os

import pytest

from affectkit.errors import AffectkitError
from affectkit.files import lock
from affectkit.inference import predict
from affectkit.recording import list_recordings, open_recording, save_recording
from affectkit.results import prediction_path
from affectkit.run import read_metadata, write_metadata
from affectkit.training.model import load_model, save_weights


@pytest.fixture
def paths(recordings):
    return list_recordings(recordings)[:2]


def kept(run, paths, **options):
    """The names of the recordings whose predictions are kept."""
    names = []
    predict(run, paths, on_kept=names.append, **options)
    return names


def test_a_second_call_keeps_the_stored_predictions(run, paths):
    first = predict(run, paths)
    before = prediction_path(run, paths[0].stem).stat().st_ino
    assert kept(run, paths) == [path.stem for path in paths]
    for old, new in zip(first, predict(run, paths), strict=True):
        assert old.identical(new)
    assert prediction_path(run, paths[0].stem).stat().st_ino == before
    assert kept(run, paths, overwrite=True) == []
    assert prediction_path(run, paths[0].stem).stat().st_ino != before


def test_an_interrupted_prediction_goes_on(run, paths):
    predict(run, paths[:1])
    assert kept(run, paths) == [paths[0].stem]


def test_other_settings_are_predicted_again(run, paths):
    predict(run, paths)
    assert kept(run, paths, smooth="median") == []
    assert kept(run, paths, smooth="median") == [path.stem for path in paths]
    assert kept(run, paths, smooth="median", precision="bf16") == []


def test_settings_that_tune_has_changed_are_predicted_again(run, paths):
    predict(run, paths)
    write_metadata(run, read_metadata(run) | {"predict": {"smooth": "wiener"}})
    assert kept(run, paths) == []


def test_other_weights_are_predicted_again(run, paths):
    predict(run, paths)
    model = load_model(run)
    model.head.bias.data += 0.1
    save_weights(model, run)
    assert kept(run, paths) == []


def test_a_recording_that_was_prepared_again_is_predicted_again(run, paths):
    predict(run, paths)
    changed = open_recording(paths[0]).load()
    changed["face"][3] = 255
    save_recording(changed, paths[0], overwrite=True)
    assert kept(run, paths) == [paths[1].stem]


def test_a_moved_recording_is_predicted_again_and_found_at_its_new_path(run, paths, tmp_path):
    predict(run, paths)
    moved = paths[0].rename(tmp_path / paths[0].name)
    assert kept(run, [moved, paths[1]]) == [paths[1].stem]
    assert predict(run, moved).attrs["recording_path"] == str(moved.resolve())


def test_a_damaged_prediction_is_predicted_again(run, paths):
    predict(run, paths)
    os.remove(prediction_path(run, paths[0].stem) / ".zattrs")
    assert kept(run, paths) == [paths[1].stem]


def test_worker_processes_keep_predictions_too(run, paths):
    predict(run, paths[:1])
    assert kept(run, paths, workers=2) == [paths[0].stem]


def test_the_command_says_how_many_predictions_were_kept(call, run, paths):
    assert "kept" not in call("predict", run, paths[0])[1]
    status, out, err = call("predict", run, *paths)
    assert status == 0, err
    assert "2 predictions in" in out
    assert "1 of them were up to date and kept" in " ".join(out.split())
    assert "kept" not in call("predict", run, *paths, "--overwrite")[1]


def test_two_predictions_of_one_run_at_once_are_one_line(run, paths):
    with lock(run, "attribute"), pytest.raises(AffectkitError, match=r"in use by .*\(attribute\)"):
        predict(run, paths[0])
    with lock(run, "attribute"):
        predict(run, paths[0], save=False)
