"""`affectkit look`: a video to a run with its prediction and attribution, without a network."""

import numpy as np
import pytest

import affectkit as ak
from affectkit.cli.main import app
from affectkit.errors import AffectkitError
from affectkit.look import METHOD, MODEL, look, summarise
from affectkit.published import create_published_run
from affectkit.results import open_attribution, open_prediction
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


def test_no_videos_is_one_line(tmp_path):
    with pytest.raises(AffectkitError, match="no videos"):
        look([], runs=tmp_path, recordings=tmp_path)
