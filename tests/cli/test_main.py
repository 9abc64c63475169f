import json
import sys

import pandas as pd
import pytest

from affectkit.cli.main import main
from affectkit.recording import save_recording
from affectkit.results import prediction_path
from affectkit.video import write_video
from tests.conftest import fake_recording


def one_line(status, out, err):
    """Whether the error is one line; progress may have been printed before."""
    return status == 2 and err.startswith("error: ") and err.count("\n") == 1 and "Error" not in out


def test_predict_evaluate_compare_and_attribute_in_a_row(call, run, recordings):
    assert call("predict", run, recordings)[0] == 0
    status, out, _ = call("evaluate", run)
    assert status == 0
    assert "person_8" in out
    assert "ddof 0" in out
    assert call("compare", run, run)[0] == 0
    status, out, _ = call("attribute", run, recordings / "person_8.zarr")
    assert status == 0
    assert (run / "attributions" / "gradient_x_input" / "person_8.zarr").is_dir()


def test_scores_as_json_and_csv_have_no_other_text(call, run, recordings):
    call("predict", run, recordings)
    assert len(json.loads(call("evaluate", run, "--format", "json")[1])) > 10
    assert call("evaluate", run, "--format", "csv")[1].startswith("split,recording,affect,metric")
    status, out, err = call("evaluate", run, "--format", "yaml")
    assert one_line(status, out, err)


def test_train_resumes_and_prints_the_best_score(call, recordings, recipe, tmp_path):
    from affectkit.training.recipe import recipe_text

    (tmp_path / "r.toml").write_text(recipe_text(recipe(training__epochs=1)))
    command = ["train", tmp_path / "r.toml", "--recordings", recordings, "--run", tmp_path / "run"]
    assert "highest mean CCC on validation" in call(*command)[1]
    assert call(*command)[0] == 0
    status, out, err = call(*command, "--set", "training.epochs=2")
    assert one_line(status, out, err)
    assert "another recipe" in err


def test_a_figure_is_written_with_its_data(call, run, recordings, tmp_path):
    call("predict", run, recordings / "person_8.zarr")
    status, _, err = call("figure", "traces", run, "person_8", "--out", tmp_path / "f.pdf")
    assert status == 0, err
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")
    assert len(pd.read_csv(next(tmp_path.glob("f*.csv")))) > 0


def test_a_figure_of_a_dataset_needs_no_run(call, recordings, tmp_path):
    status, _, err = call("figure", "density", recordings, "--out", tmp_path / "f.pdf")
    assert status == 0, err
    assert pd.read_csv(tmp_path / "f.csv")["labels"].sum() == 445
    status, out, err = call("figure", "traces", recordings, "--out", tmp_path / "g.pdf")
    assert one_line(status, out, err)
    assert "give its name after the folder of the run" in err


def text_file_named_mp4(folder):
    (folder / "text.mp4").write_text("not a video")
    return folder / "text.mp4"


def video_without_face(folder):
    import numpy as np

    pictures = ((k / 10, np.full((96, 96, 3), 90, np.uint8)) for k in range(5))
    write_video(folder / "grey.mp4", pictures)
    return folder / "grey.mp4"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda f: ["prepare", "video", f / "gone.mp4", "--out", f / "R"], "gone.mp4"),
        (lambda f: ["prepare", "video", text_file_named_mp4(f), "--out", f / "R"], "text.mp4"),
        (
            lambda f: [
                "prepare",
                "affwild2",
                f,
                "--out",
                f / "R",
                "--workers",
                2,
                "--scheduler",
                "tcp://a",
            ],
            "either a number of workers or a scheduler",
        ),
        (lambda f: ["prepare", "afwild2", f, "--out", f / "R"], "did you mean 'affwild2'"),
        (lambda f: ["prepare", "affwild2", f, "--out", f / "R"], "no Aff-Wild2 in"),
        (
            lambda f: [
                "prepare",
                "video",
                video_without_face(f),
                "--out",
                f / "R",
                "--detector",
                "dlibb",
            ],
            "did you mean 'dlib'",
        ),
        (
            lambda f: ["train", "demoo", "--recordings", f, "--run", f / "r"],
            "expected the path of a .toml file or one of ",
        ),
        (
            lambda f: ["train", "demo", "--recordings", f, "--run", f / "r", "--set", "seeed=1"],
            "did you mean 'seed'",
        ),
        (lambda f: ["train", "demo", "--recordings", f, "--run", f / "r"], "no recordings in"),
        (lambda f: ["predict", f, f], "is not a run"),
        (lambda f: ["evaluate", f], "is not a run"),
        (lambda f: ["attribute", f], "is not a run"),
        (lambda f: ["dashboard", f], "no runs in"),
        (lambda f: ["bench", "speed"], "unknown benchmark 'speed'"),
        (lambda f: ["figure", "pie", f, "x", "--out", f / "x.pdf"], "expected one of"),
        (lambda f: ["doctor", f / "gone.mp4"], "gone.mp4"),
        (lambda f: ["predict"], "Missing argument"),
        (lambda f: ["predikt"], "predikt"),
    ],
)
def test_a_user_error_is_one_line_and_status_2(call, tmp_path, arguments, message):
    status, out, err = call(*arguments(tmp_path))
    assert status == 2, err
    assert one_line(status, out, err), (out, err)
    assert message in err


def test_missing_weights_of_face_alignment_suggest_dlib(call, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no weights here"))
    command = ["prepare", "video", video_without_face(tmp_path), "--out", tmp_path / "R"]
    status, _, err = call(*command, "--detector", "face-alignment")
    assert status == 2
    assert "dlib" in err


def test_attribute_before_predict_names_the_command_to_run(call, run):
    status, _, err = call("attribute", run)
    assert status == 2
    assert "affectkit predict" in err


def test_debug_shows_the_traceback(monkeypatch, tmp_path):
    from affectkit.errors import AffectkitError

    monkeypatch.setattr(sys, "argv", ["affectkit", "predict", str(tmp_path), ".", "--debug"])
    with pytest.raises(AffectkitError):
        main()


def test_an_overlay_needs_exactly_one_recording(call, run, recordings, tmp_path):
    status, _, err = call("predict", run, recordings, "--overlay", tmp_path / "o.mp4")
    assert status == 2
    assert "--overlay needs exactly one recording, got 8" in err


def test_a_recording_with_other_crop_settings_is_an_error_before_anything_is_written(
    call, run, tmp_path
):
    save_recording(fake_recording("wide", crop={"size": 99}), tmp_path / "wide.zarr")
    assert call("predict", run, tmp_path / "wide.zarr")[0] == 2
    assert not prediction_path(run, "wide").exists()


def test_datasets_and_doctor_print_tables(call):
    status, out, _ = call("datasets")
    assert status == 0
    assert "affwild2" in out
    status, out, _ = call("doctor")
    assert status == 0
    assert "torch" in out


def test_notebooks_are_copied(call, tmp_path):
    status, _, err = call("notebooks", tmp_path / "nb", "--no-browser")
    assert status == 0, err
    assert sorted(p.suffix for p in (tmp_path / "nb").iterdir()) == [".ipynb"] * 2
