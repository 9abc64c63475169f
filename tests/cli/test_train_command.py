"""`affectkit train`: what it shows before it trains, and what it refuses to begin."""

import numpy as np
import pytest

from affectkit.recording import open_recording, save_recording
from affectkit.training.recipe import recipe_text, shipped_recipes


@pytest.fixture
def rehearse(call, recipe, tmp_path, monkeypatch):
    """`train --dry-run` of a tiny recipe, in a folder of its own; spaces and breaks are one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run_command(*arguments, **changes):
        (tmp_path / "tiny.toml").write_text(recipe_text(recipe(**changes)))
        status, out, err = call("train", "--dry-run", tmp_path / "tiny.toml", *arguments)
        return status, " ".join(out.split()), err

    return run_command


def test_a_dry_run_shows_network_memory_and_time(rehearse):
    status, out, err = rehearse()
    assert status == 0, err
    assert "windows of 20 frames, 32 x 32 pixels, 3 in a step" in out
    assert "temporal gru 32 -> 1 x 32 20 x 32 6,336" in out  # 3 x 32 x (32 + 32 + 2)
    assert "output Linear 32 -> 2 20 x 2 66" in out
    assert "activations are of 3 windows at once" in out
    assert "for 1,000 frames of an epoch on cpu" in out


def test_a_dry_run_leaves_nothing_behind(rehearse, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert rehearse("--run", tmp_path / "run")[0] == 0
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "tiny.toml"])


def test_a_dry_run_knows_the_recordings_epoch(rehearse, recordings):
    # 60, 45, 60 and 50 frames hold 3 + 2 + 3 + 2 windows of 20, which fill 3 batches of 3
    status, out, err = rehearse("--recordings", recordings)
    assert status == 0, err
    assert "for an epoch of 180 frames on cpu" in out


def test_a_dry_run_needs_no_weights(rehearse, tmp_path):
    assert rehearse("--set", f"model.weights={tmp_path / 'gone.pth'}")[0] == 0


def test_a_dry_run_of_several_processes_is_one(rehearse):
    status, out, err = rehearse("--devices", 3)
    assert status == 0, err
    assert "activations are of 1 windows at once" in out
    assert "Each process needs as much" in out


def test_what_stands_still_is_marked(rehearse):
    out = rehearse("--set", 'training.frozen=["cnn"]')[1]
    assert "frozen" in out
    trained = (96 * 32 + 32) + 2 * 32 + 6336 + 66  # fully connected, its norm, the gru, the output
    assert f"parameters, {trained:,} of them trained" in out


def test_training_itself_needs_recordings_and_a_run(call, recordings):
    for given in ([], ["--recordings", recordings]):
        status, out, err = call("train", "demo", *given)
        assert (status, out) == (2, "")
        assert err == "error: train needs --recordings and --run; only --dry-run goes without\n"


FAULTS = [
    ("[training]\nlearning_rat = 1e-3", "unknown key 'training.learning_rat', did you mean "
     "'learning_rate'?"),
    ("[window]\nlength = 80", "unknown key 'window', did you mean 'windows'?"),
    ("[training]\nepochs = 'many'", "training.epochs: input should be a valid integer"),
    ("[windows]\naugment = 'perhaps'", "windows.augment: input should be a valid boolean"),
    ("[model]\nconnected = 64", "model.connected: input should be a valid tuple, got 64"),
    ("[windows]\nlength = 0", "windows.length: input should be greater than or equal to 1, got 0"),
    ("[training]\nlearning_rate = -1.0", "training.learning_rate: input should be greater than 0"),
    ("[training]\nloss = 'cc'", "training.loss: input should be 'ccc', 'mse'"),
    ("[[training.stages]]\nepoch = 1", "did you mean 'epochs'?"),
    ("[model]\ntemporal = 'gruu'", "unknown temporal part 'gruu': did you mean 'gru'?"),
    ("[model]\nbackbone = 'resnet5'", "unknown backbone 'resnet5': did you mean 'resnet50'?"),
    ("[training]\nfrozen = ['cn']", "unknown part of the net in training.frozen 'cn': did you "
     "mean 'cnn'?"),
    ("epochs 3", "is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_faulty_recipe_is_one_line(call, recordings, tmp_path, text, message, dry):
    (tmp_path / "r.toml").write_text(text)
    place = ["--dry-run"] if dry else ["--recordings", recordings, "--run", tmp_path / "run"]
    status, _, err = call("train", tmp_path / "r.toml", *place)
    assert status == 2
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_recipe_misspelt_is_told_the_nearest(call):
    status, _, err = call("train", "--dry-run", "affwild-vggface-gur")
    assert status == 2
    assert "did you mean 'affwild-vggface-gru'?" in err
    assert all(name in err for name in shipped_recipes())


def without_annotations(recording):
    recording["annotation"][:] = np.nan


def without_faces(recording):
    for name in ("box", "crop_box", "landmark"):
        recording[name][:] = np.nan
    recording["detected"][:] = False


def all_in_training(recording):
    recording.attrs["split"] = "train"


@pytest.mark.parametrize("dry", [["--dry-run"], []])
@pytest.mark.parametrize(
    ("spoil", "split", "found"),
    [
        (without_annotations, "train", "4 in 'train'"),
        (without_faces, "train", "4 in 'train'"),
        (all_in_training, "validation", "there are 8 in 'train'"),
    ],
)
def test_recordings_that_teach_nothing_are_refused(
    call, recordings, recipe, tmp_path, spoil, split, found, dry
):
    for path in recordings.glob("*.zarr"):
        recording = open_recording(path).load()
        spoil(recording)
        save_recording(recording, path, overwrite=True)
    (tmp_path / "r.toml").write_text(recipe_text(recipe()))
    place = ["--recordings", recordings, "--run", tmp_path / "run"]
    status, out, err = call("train", tmp_path / "r.toml", *place, *dry)
    assert (status, out) == (2, "")
    assert f"no recordings with annotated faces in the split '{split}'" in err
    assert found in err
    assert not (tmp_path / "run").exists()
