"""Options of `affectkit prepare`."""

import warnings

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.recording import open_recording
from affectkit.run import read_metadata, write_metadata
from tests.datasets.files import write_grey, write_lines


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("video", ["--detect"], "--detect is for datasets only, got videos: leave it out"),
        ("video", ["--only", "a"], "--only is for datasets only"),
        ("affwild2", ["--annotation", "a.csv"], "--annotation is for videos of your own"),
        ("affwild2", ["--person", "left"], "--person is for videos of your own"),
        ("affwild2", ["--stream", "0"], "--stream is for videos of your own"),
        ("video", ["--annotation", "a.csv", "b.mp4"], "--annotation needs a single video, got 2"),
        ("video", ["--person", "middle"], "expected 'left', 'right' or a number"),
        ("video", ["--size", "7"], "expected size from 8 to 1024, got 7"),
        ("video", ["--size", "100000"], "expected size from 8 to 1024"),
        ("video", ["--margin", "0"], "expected margin from 0.5 to 10, got 0.0"),
        ("video", ["--margin", "nan"], "expected margin from 0.5 to 10, got nan"),
        ("video", ["--margin", "1e300"], "expected margin from 0.5 to 10"),
        ("video", ["--like", "run", "--size", "112"], "of run: leave out --size"),
        ("video", ["--like", "gone"], "gone is not a run"),
        ("video", ["--time-unit", "ms"], "the format of labels was given without labels"),
        ("affwild2", ["--between", "hold"], "for tables of your own only"),
        ("video", ["--annotation", "a", "--time-unit", "h"], "unknown time unit 'h'"),
        ("video", ["--annotation", "a", "--label-range", "5", "1"], "expected a label range LOW"),
        ("video", ["--annotation", "a", "--first-frame", "2"], "expected 0 or 1"),
        ("video", ["--workers", "0"], "--workers"),
        ("video", ["--scheduler", "foo"], "expected tcp://HOST:PORT"),
        ("video", ["--workers", "2", "--scheduler", "tcp://a:1"], "either a number of workers or"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_the_work(
    kind, options, message, call, tmp_path
):
    out = tmp_path / "out"
    status, _, error = call("prepare", kind, tmp_path / "clip.mp4", "--out", out, *options)
    assert status == 2
    assert error.count("\n") == 1
    assert message in error
    assert not out.exists()


def test_the_crop_can_be_set_or_taken_from_a_run(call, run, tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "data", subjects=(1, 1, 1), seconds=1, fps=8, size=128
    )
    video = synthetic.index(root)["video"].iloc[0]
    command = ["prepare", "video", video, "--out", tmp_path / "out"]
    status, _, error = call(*command, "--size", 112, "--margin", 2)
    assert status == 0, error
    (path,) = (tmp_path / "out").glob("*.zarr")
    recording = open_recording(path)
    assert recording["face"].shape[1:3] == (112, 112)
    assert recording.attrs["crop"]["margin"] == 2
    status, _, error = call("predict", run, path)
    assert status == 2
    assert "--like RUN" in error
    write_metadata(run, read_metadata(run) | {"crop": recording.attrs["crop"] | {"size": 16}})
    assert call(*command, "--like", run)[0] == 0
    assert open_recording(path).sizes["row"] == 16
    status, _, error = call("predict", run, path)
    assert status == 0, error


@pytest.fixture
def own_table(tmp_path):
    """A dataset of one grey video of 25 frames and its labels of one affect per file, in ms."""
    write_grey(tmp_path / "data" / "clip.mp4", frames=25)
    for affect in ("valence", "arousal"):
        path = tmp_path / "data" / f"clip_{affect}.csv"
        write_lines(path, "time,value", *(f"{40 * number},{number}" for number in range(25)))
    return tmp_path / "data"


def test_check_and_prepare_take_the_format_of_labels_and_agree(call, own_table):
    command = ("table", own_table, "--label-range", 0, 24)
    status, output, _ = call("check", *command)
    assert status == 1
    assert "--time-unit ms" in output
    out = own_table.parent / "out"
    status, _, error = call("prepare", *command, "--out", out)
    assert status == 2
    assert "--time-unit ms" in error
    assert call("check", *command, "--time-unit", "ms")[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # no face found
        assert call("prepare", *command, "--time-unit", "ms", "--out", out)[0] == 0
    annotation = open_recording(out / "clip.zarr")["annotation"]
    np.testing.assert_allclose(annotation.sel(affect="arousal"), np.linspace(-1, 1, 25), atol=1e-6)


def test_only_a_command_that_resumes_says_so_when_it_is_interrupted(call, own_table, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("av.open", interrupt)
    status, _, error = call("check", "table", own_table)
    assert (status, error) == (130, "interrupted\n")
    video, out = own_table / "clip.mp4", own_table.parent / "out"
    status, _, error = call("prepare", "video", video, "--out", out)
    assert (status, error) == (130, "interrupted; run the same command again to resume\n")
