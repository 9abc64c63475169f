"""`affectkit train`: the output of --dry-run, and errors before training starts."""

import numpy as np
import pytest

from affectkit.recording import open_recording, save_recording
from affectkit.training.recipe import recipe_text, shipped_recipes


@pytest.fixture
def dry_run(call, recipe, tmp_path, monkeypatch):
    """Run `train --dry-run` on a tiny recipe in an empty folder; white space is collapsed."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run_command(*arguments, **changes):
        (tmp_path / "tiny.toml").write_text(recipe_text(recipe(**changes)))
        status, out, err = call("train", "--dry-run", tmp_path / "tiny.toml", *arguments)
        return status, " ".join(out.split()), err

    return run_command


def test_a_dry_run_shows_layers_memory_and_time(dry_run):
    status, out, err = dry_run()
    assert status == 0, err
    assert "windows of 20 frames, 32 x 32 pixels, 3 windows per batch" in out
    assert "temporal gru 32 -> 1 x 32 20 x 32 6,336" in out  # 3 x 32 x (32 + 32 + 2)
    assert "head Linear 32 -> 2 20 x 2 66" in out
    assert "activations of 3 windows at once" in out
    assert "for 1,000 frames of an epoch on cpu" in out


def test_a_dry_run_writes_nothing(dry_run, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert dry_run("--run", tmp_path / "run")[0] == 0
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "tiny.toml"])


def test_a_dry_run_counts_the_frames_of_an_epoch(dry_run, recordings):
    # 60, 45, 60 and 50 frames hold 3 + 2 + 3 + 2 windows of 20, which fill 3 batches of 3
    status, out, err = dry_run("--recordings", recordings)
    assert status == 0, err
    assert "for an epoch of 180 frames on cpu" in out


def test_a_dry_run_needs_no_weights(dry_run, tmp_path):
    assert dry_run("--set", f"model.weights={tmp_path / 'gone.pth'}")[0] == 0


def test_a_dry_run_of_several_processes_starts_one(dry_run):
    status, out, err = dry_run("--devices", 3)
    assert status == 0, err
    assert "activations of 1 windows at once" in out
    assert "Each process needs this much" in out


def test_frozen_layers_are_marked(dry_run):
    out = dry_run("--set", 'training.frozen=["cnn"]')[1]
    assert "frozen" in out
    trained = (96 * 32 + 32) + 2 * 32 + 6336 + 66  # fully connected, its norm, the gru, the head
    assert f"parameters, {trained:,} of them trained" in out


def test_training_needs_recordings_and_a_run(call, recordings):
    for given in ([], ["--recordings", recordings]):
        status, out, err = call("train", "demo", *given)
        assert (status, out) == (2, "")
        assert err == "error: train needs --recordings and --run, except with --dry-run\n"


FAULTS = [
    ("[training]\nlearning_rat = 1e-3", "unknown key 'training.learning_rat': did you mean "
     "'learning_rate'?"),
    ("[window]\nlength = 80", "unknown key 'window': did you mean 'windows'?"),
    ("[training]\nepochs = 'many'", "training.epochs: input should be a valid integer"),
    ("[windows]\naugment = 'perhaps'", "windows.augment: input should be a valid boolean"),
    ("[model]\nfc = 64", "model.fc: input should be a valid tuple, got 64"),
    ("[windows]\nlength = 0", "windows.length: input should be greater than or equal to 1, got 0"),
    ("[training]\nlearning_rate = -1.0", "training.learning_rate: input should be greater than 0"),
    ("[training]\nloss = 'cc'", "training.loss: input should be 'ccc', 'mse'"),
    ("[[training.stages]]\nepoch = 1", "did you mean 'epochs'?"),
    ("[model]\ntemporal = 'gruu'", "unknown temporal module 'gruu': did you mean 'gru'?"),
    ("[model]\nbackbone = 'resnet5'", "unknown backbone 'resnet5': did you mean 'resnet50'?"),
    ("[training]\nfrozen = ['cn']", "unknown part of the model in training.frozen 'cn': did you "
     "mean 'cnn'?"),
    ("epochs 3", "is not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_an_invalid_recipe_is_one_line(call, recordings, tmp_path, text, message, dry):
    (tmp_path / "r.toml").write_text(text)
    place = ["--dry-run"] if dry else ["--recordings", recordings, "--run", tmp_path / "run"]
    status, _, err = call("train", tmp_path / "r.toml", *place)
    assert status == 2
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_misspelt_recipe_gets_the_nearest_name(call):
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
        (all_in_training, "validation", "recordings in all: 8 in 'train'"),
    ],
)
def test_a_split_without_annotated_faces_is_an_error(
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
