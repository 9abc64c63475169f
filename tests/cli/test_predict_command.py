"""`affectkit predict`, `ensemble` and `tune`: options override the settings of the run."""

import shutil

from affectkit.results import open_prediction
from affectkit.run import read_metadata


def test_options_are_saved_with_the_prediction(call, run, recordings):
    options = ["--window", 20, "--stride", 10, "--smooth", "median", "--smooth-seconds", 0.4]
    status, _, err = call("predict", run, recordings / "person_8.zarr", *options)
    assert status == 0, err
    used = open_prediction(run, "person_8").attrs["settings"]
    assert (used["window"], used["stride"], used["smooth"], used["smooth_seconds"]) == (
        20, 10, "median", 0.4
    )  # fmt: skip


def test_an_unknown_filter_is_one_line(call, run, recordings):
    status, _, err = call("predict", run, recordings, "--smooth", "savgol")
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "'savitzky-golay'" in err


def test_an_ensemble_can_be_tuned_predicted_and_evaluated(call, run, recordings, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    mean = tmp_path / "mean"
    assert call("ensemble", mean, run, other)[0] == 0
    status, out, err = call("tune", mean)
    assert status == 0, err
    assert "savitzky-golay" in out
    assert read_metadata(mean)["tuned"]
    assert call("predict", mean, recordings)[0] == 0
    assert call("evaluate", mean)[0] == 0
    assert call("compare", run, mean)[0] == 2  # the run itself has no predictions yet
