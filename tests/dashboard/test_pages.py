"""Each page on a small synthetic run, without a browser."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from affectkit import results
from affectkit.dashboard import launch

testing = pytest.importorskip("streamlit.testing.v1")
MAIN = Path(launch.__code__.co_filename).with_name("main.py")


@pytest.fixture
def app(folders: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AFFECTKIT_RUNS", str(folders.runs))
    monkeypatch.setenv("AFFECTKIT_RECORDINGS", str(folders.recordings))
    return testing.AppTest.from_file(str(MAIN), default_timeout=60)


@pytest.fixture
def unscored(folders: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The same runs without scores."""
    runs = tmp_path / "runs"
    shutil.copytree(folders.runs, runs, ignore=shutil.ignore_patterns("scores.csv"))
    monkeypatch.setenv("AFFECTKIT_RUNS", str(runs))
    return runs


def player_data(app: Any) -> dict[str, Any]:
    return json.loads(app.get("bidi_component")[0].proto.json)


def open_recording(app: Any, **query: str) -> Any:
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    app.switch_page("views/recording.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def texts(app: Any) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def test_overview_shows_scores_and_all_recordings_of_the_split(app):
    app.query_params["run"] = "joint"
    app.run()
    assert not app.exception
    assert "trained on synthetic data only" in texts(app)
    assert list(app.dataframe[0].value["recording"]) == ["s02", "s01"]
    assert len(app.get("plotly_chart")) == 2


def test_overview_of_all_splits_lists_recordings_without_scores_last(app):
    app.query_params["run"] = "joint"
    app.query_params["split"] = "all"
    app.run()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["recording"]) == ["s02", "s01", "own"]
    assert list(table["split"]) == ["test", "test", "–"]
    assert table["CCC V"].isna().tolist() == [False, False, True]


def test_a_run_without_scores_names_the_command_and_shows_the_rest(app, unscored):
    app.query_params["run"] = "joint"
    app.query_params["compare"] = "cnn"
    app.query_params["split"] = "test"
    app.run()
    assert not app.exception
    assert "affectkit evaluate" in app.caption[0].value
    assert len(app.dataframe[0].value) == 2
    assert len(app.get("plotly_chart")) == 1


def test_a_run_without_predictions_names_the_command(app):
    app.query_params["run"] = "cnn"
    app.run()
    assert not app.exception
    assert "affectkit predict" in app.error[0].value


def test_a_folder_without_runs_is_an_error_message(app, monkeypatch, tmp_path):
    monkeypatch.setenv("AFFECTKIT_RUNS", str(tmp_path))
    app.run()
    assert not app.exception
    assert "no runs in" in app.error[0].value


def test_the_recording_opens_at_the_worst_segment_and_sends_no_path_of_the_video(app):
    open_recording(app, run="joint", recording="s01")
    assert not app.exception
    data = player_data(app)
    assert data["media"].startswith("/affectkit/media/")
    assert 90 < data["frame"] < 125
    assert "clip" not in json.dumps(data)


def test_the_recording_opens_at_the_frame_of_the_url(app, folders):
    open_recording(app, run="joint", recording="s02", frame="17")
    assert not app.exception
    assert player_data(app)["frame"] == 17
    assert f"affectkit attribute {folders.runs / 'joint'}" in player_data(app)["notes"]["saliency"]


def test_of_several_attributions_one_is_chosen(app, folders, monkeypatch, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(folders.runs, runs)
    monkeypatch.setenv("AFFECTKIT_RUNS", str(runs))
    stored = results.open_attribution(runs / "joint", "gradient_x_input", "s01").load()
    path = results.attribution_path(runs / "joint", "integrated_gradients", "s01")
    results.save_result(stored.assign_attrs(method="integrated_gradients"), path)
    open_recording(app, run="joint", recording="s01")
    choice = app.sidebar.selectbox(key="method")
    assert choice.options == ["integrated_gradients", "gradient_x_input"]
    assert choice.value == "integrated_gradients"
    first = player_data(app)
    choice.select("gradient_x_input").run()
    assert not app.exception
    assert app.query_params["method"] == "gradient_x_input"
    assert player_data(app)["saliency"] != first["saliency"]
    assert player_data(app)["revision"] != first["revision"]


def test_a_recording_without_annotation_has_no_scores_and_a_warning(app):
    open_recording(app, run="joint", split="all", recording="own")
    assert not app.exception
    assert "no annotation, no scores" in texts(app)
    assert "trained on synthetic data only" in app.warning[0].value
    assert "gone.mp4" in player_data(app)["notes"]["video"]
    assert player_data(app)["media"] == ""


def test_a_missing_recording_names_the_option(app, folders, monkeypatch, tmp_path):
    monkeypatch.setenv("AFFECTKIT_RECORDINGS", str(tmp_path))
    hidden = folders.recordings.with_name("hidden")
    folders.recordings.rename(hidden)
    try:
        open_recording(app, run="joint", recording="s01")
    finally:
        hidden.rename(folders.recordings)
    assert not app.exception
    assert "--recordings" in app.error[0].value


@pytest.mark.parametrize("frame", ["nonsense", "-4", "1e9", "²"])
def test_an_invalid_frame_in_the_url_is_ignored(app, frame):
    open_recording(app, run="joint", recording="s01", frame=frame)
    assert not app.exception
    assert 90 < player_data(app)["frame"] < 125
