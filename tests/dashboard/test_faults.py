"""Damaged and changed files: one line on the page of the run, everything else stays usable."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affectkit import results
from affectkit.dashboard import launch, loading
from affectkit.dashboard.serving import find_video
from affectkit.recording import open_recording, save_recording
from tests.dashboard.conftest import Folders, barcode_prediction
from tests.video.clips import STEADY, draw_clip

testing = pytest.importorskip("streamlit.testing.v1")
MAIN = Path(launch.__code__.co_filename).with_name("main.py")
HTML = "<img src=x onerror=alert(1)>"


@pytest.fixture
def copy(folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Runs and recordings that a test may damage."""
    for folder in folders:
        shutil.copytree(folder, tmp_path / folder.name)
    own = Folders(tmp_path / "runs", tmp_path / "recordings")
    monkeypatch.setenv("AFFECTKIT_RUNS", str(own.runs))
    monkeypatch.setenv("AFFECTKIT_RECORDINGS", str(own.recordings))
    return own


def open_page(page: str = "overview", **query: str) -> Any:
    app = testing.AppTest.from_file(str(MAIN), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    if page == "recording":
        app.switch_page("views/recording.py")
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
    assert not app.exception
    return app


def change_metadata(run: Path, **changes: Any) -> None:
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda run: (run / "run.json").write_bytes(b""),
    "not JSON": lambda run: (run / "run.json").write_text("{"),
    "a list": lambda run: (run / "run.json").write_text("[]"),
    "nested": lambda run: (run / "run.json").write_text("[" * 100_000),
    "newer": lambda run: change_metadata(run, schema=99),
    "no schema": lambda run: change_metadata(run, schema=None),
    "splits of a wrong type": lambda run: change_metadata(run, splits=3),
    "scores empty": lambda run: (run / "scores.csv").write_bytes(b""),
    "scores not UTF-8": lambda run: (run / "scores.csv").write_bytes(b"\xff\xfe\x00"),
    "scores with text": lambda run: (run / "scores.csv").write_text(
        (run / "scores.csv").read_text().replace("150", "many")
    ),
}


@pytest.mark.parametrize(
    ("page", "kind"),
    [*(("overview", kind) for kind in DAMAGES), ("recording", "newer"), ("recording", "nested")],
)
def test_a_damaged_run_is_one_line_and_is_marked_in_the_list(copy, page, kind):
    DAMAGES[kind](copy.runs / "cnn")
    app = open_page(page, run="cnn")
    assert len(app.error) == 1
    assert "cnn" in app.error[0].value
    runs = app.sidebar.selectbox[0]
    assert runs.options == ["joint", "cnn (unreadable)"]
    runs.select("joint").run()
    assert not app.exception
    assert not app.error


def damage_chunk(store: Path, variable: str) -> None:
    chunk = next(path for path in (store / variable).iterdir() if not path.name.startswith("."))
    chunk.write_bytes(chunk.read_bytes()[:10])


@pytest.mark.parametrize("kind", ["prediction", "attribution", "recording"])
def test_a_damaged_store_is_one_line_and_other_recordings_are_shown(copy, kind):
    run = copy.runs / "joint"
    attribution = results.attribution_path(run, "gradient_x_input", "s01")
    stores = {"prediction": (results.prediction_path(run, "s01"), "prediction"),
              "attribution": (attribution, "attribution"),
              "recording": (copy.recordings / "s01.zarr", "annotation")}  # fmt: skip
    damage_chunk(*stores[kind])
    app = open_page("recording", run="joint", split="test", recording="s01")
    assert len(app.error) == 1
    assert "s01.zarr" in app.error[0].value.replace("\\", "")
    assert [each.label for each in app.sidebar.selectbox] == [
        "Run", "Compare with", "Split", "Recording",
    ]  # fmt: skip
    app.sidebar.selectbox[3].select("s02").run()
    assert not app.error
    assert len(open_page(run="joint", split="test").dataframe[0].value) == 2


def test_new_predictions_and_recordings_replace_the_old_values(copy):
    run, path = copy.runs / "joint", copy.recordings / "s01.zarr"
    recording = open_recording(path).load()
    recording.close()
    before = loading.pooled(run, "test")
    shown = loading.open_results(run, "s01")[0]["annotation"].values[0]
    prediction = barcode_prediction(recording, path)
    prediction["prediction"][:] = 0.25
    results.save_result(prediction, results.prediction_path(run, "s01"))
    after = loading.pooled(run, "test")
    assert (after[1] == 0.25).sum() == 300
    assert (before[1] == 0.25).sum() < 10
    recording["annotation"][:] = np.float32(-0.5)
    save_recording(recording, path, overwrite=True)
    assert (loading.pooled(run, "test")[0] == -0.5).sum() >= 300
    assert (loading.open_results(run, "s01")[0]["annotation"].values[0] == -0.5).all()
    assert (shown != -0.5).any()


def test_a_folder_that_cannot_be_written_is_the_reason_for_no_video(make_recording, tmp_path):
    (tmp_path / "playable").write_text("a file")
    video = draw_clip(tmp_path / "clip.avi", STEADY, "mpeg4")
    path, missing = find_video(make_recording("one", video=str(video)), tmp_path)
    assert path is None
    assert "playable" in missing
    assert "\n" not in missing


def test_a_link_without_a_split_opens_its_recording(copy):
    app = open_page("recording", run="joint", recording="own")
    assert app.sidebar.selectbox[3].value == "own"
    assert app.sidebar.selectbox[2].value == "all"


def test_a_link_to_what_is_not_there_says_so(copy):
    app = open_page("recording", run="joint", split="test", recording="gone")
    assert "'gone' is not here; this is 's02'" in app.warning[0].value.replace("\\", "")
    assert "'x' is not here" in open_page(run="x").warning[0].value.replace("\\", "")


def test_empty_sizes_and_rates_are_shown(copy):
    path = copy.recordings / "s01.zarr"
    recording = open_recording(path).load()
    recording.attrs |= {"width": "", "height": "", "fps": ""}
    save_recording(recording, path, overwrite=True)
    app = open_page("recording", run="joint", split="test", recording="s01")
    assert not app.error
    assert "frames/s" not in " ".join(element.proto.body for element in app.get("html"))


def test_html_in_every_field_of_run_and_recording_is_text(copy):
    path = copy.recordings / "s01.zarr"
    recording = open_recording(path).load()
    hostile = {name: HTML for name, value in recording.attrs.items() if isinstance(value, str)}
    recording.attrs |= hostile | {"recording": "s01"}
    save_recording(recording, path, overwrite=True)
    run = copy.runs / "joint"
    fields = ("name", "backbone", "temporal", "loss", "seed", "sequence_length", "input_size")
    change_metadata(run, ensemble=[HTML], **dict.fromkeys(fields, HTML))  # has text as sizes
    scores = (run / "scores.csv").read_text()
    (run / "scores.csv").write_text(scores.replace("percentile bootstrap", HTML))
    for page in ("overview", "recording"):
        app = open_page(page, run="joint", split="test", recording="s01")
        shown = " ".join(element.proto.body for element in app.get("html"))
        assert "<img" not in shown
        assert "&lt;img" in shown
