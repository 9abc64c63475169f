"""`affectkit predict`, `ensemble` and `tune`: what is given wins over what the contract says."""

import shutil

from affectkit.run import open_prediction, read_contract


def test_options_are_kept_with_the_prediction(call, run, recordings):
    options = ["--window", 20, "--stride", 10, "--smooth", "median", "--smooth-seconds", 0.4]
    status, _, err = call("predict", run, recordings / "person_8.zarr", *options)
    assert status == 0, err
    how = open_prediction(run, "person_8").attrs["how"]
    assert (how["window"], how["stride"], how["smooth"], how["smooth_seconds"]) == (
        20, 10, "median", 0.4
    )  # fmt: skip


def test_what_is_not_possible_is_one_line(call, run, recordings):
    status, _, err = call("predict", run, recordings, "--smooth", "savgol")
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "'savitzky-golay'" in err


def test_a_mean_of_runs_is_tuned_predicted_and_scored(call, run, recordings, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    mean = tmp_path / "mean"
    assert call("ensemble", mean, run, other)[0] == 0
    status, out, err = call("tune", mean)
    assert status == 0, err
    assert "savitzky-golay" in out
    assert read_contract(mean)["tuned"]
    assert call("predict", mean, recordings)[0] == 0
    assert call("evaluate", mean)[0] == 0
    assert call("compare", run, mean)[0] == 2  # the run itself has no predictions yet
