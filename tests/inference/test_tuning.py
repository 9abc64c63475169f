"""Prediction settings: from the recipe, the metadata, the arguments and `tune`."""

from typing import get_args

import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.inference import predict, predict_settings, tune
from affectkit.models.prediction import BLENDS
from affectkit.recording import open_recording
from affectkit.results import open_prediction
from affectkit.run import read_metadata, write_metadata
from affectkit.signals import FILTERS, apply_filter
from affectkit.training.fit import fit
from affectkit.training.recipe_sections import PredictSection


def test_a_recipe_can_name_every_filter_and_blend():
    fields = PredictSection.model_fields
    assert set(get_args(fields["smooth"].annotation)) == {"none", *FILTERS}
    assert set(get_args(fields["blend"].annotation)) == set(BLENDS)


def test_the_filter_of_the_recipe_is_in_the_metadata_and_used(recordings, recipe, tmp_path):
    made = recipe(training__epochs=1, predict__smooth="median", predict__smooth_seconds=0.6)
    fit(made, recordings, tmp_path / "run")
    assert read_metadata(tmp_path / "run")["predict"]["smooth"] == "median"
    result = predict(tmp_path / "run", recordings / "person_8.zarr")
    raw = predict(tmp_path / "run", recordings / "person_8.zarr", smooth="none")["prediction"]
    expected = apply_filter(raw.values, raw["time"].values, "median", 0.6)
    np.testing.assert_allclose(result["prediction"], expected, atol=1e-6)
    assert abs(result["prediction"] - raw).max() > 1e-4


def test_the_settings_are_saved_with_the_prediction(run, recordings):
    given = {"window": 20, "stride": 8, "blend": "triangular", "smooth": "wiener"}
    predict(run, recordings / "person_8.zarr", **given)
    assert open_prediction(run, "person_8").attrs["settings"] == {
        "window": 20, "stride": 8, "blend": "triangular", "smooth": "wiener", "smooth_seconds": 1.0
    }  # fmt: skip


def test_a_run_without_prediction_settings_has_the_defaults(run, recordings):
    metadata = read_metadata(run)
    del metadata["predict"]
    write_metadata(run, metadata)
    assert predict_settings(run) == PredictSection()


def test_each_window_starts_from_an_empty_state(run, recordings):
    """As in the paper's evaluation; only the first window equals the stream."""
    result = predict(run, recordings / "person_8.zarr", window=20)["prediction"]
    stream = predict(run, recordings / "person_8.zarr")["prediction"]
    xr.testing.assert_allclose(result[:20], stream[:20], atol=1e-5)
    assert abs(result[20:] - stream[20:]).max() > 1e-5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stride": 9}, "stride should be at most predict.window"),
        ({"window": 8, "stride": 9}, "frames would be left out"),
        ({"smooth": "mean"}, r"predict\.smooth: Input should be 'none', 'median'"),
        ({"smooth_seconds": 0.0}, r"predict\.smooth_seconds: Input should be greater than 0"),
        ({"smooth_seconds": float("inf")}, r"finite|less than or equal to 3600"),
        ({"smooth_seconds": 1e300}, r"less than or equal to 3600, got 1e\+300"),
    ],
)
def test_invalid_settings_are_an_error(run, recordings, changes, message):
    with pytest.raises(AffectkitError, match=message):
        predict(run, recordings / "person_8.zarr", **changes)


def test_tuning_reads_validation_recordings_only(run, recordings):
    """The other recordings are removed first, so they cannot be read."""
    for name in ("train", "test"):
        for each in read_metadata(run)["splits"][name]:
            (recordings / f"{each}.zarr").rename(recordings / f"{each}.away")
    table = tune(run)
    assert list(table["ccc_mean"]) == sorted(table["ccc_mean"], reverse=True)
    assert len(table) == 1 + len(FILTERS) * 6
    best, kept = table.iloc[0], read_metadata(run)["predict"]
    assert kept["smooth"] == best["smooth"]
    assert predict_settings(run).model_dump() == kept
    assert "validation" in next(iter(read_metadata(run)["tuned"].values()))


def test_the_score_of_a_choice_equals_that_of_its_predictions(run, recordings):
    from affectkit.metrics import ccc

    table = tune(str(run), str(recordings), device="cpu")
    best = table.iloc[0]
    paths = [recordings / f"{n}.zarr" for n in read_metadata(run)["splits"]["validation"]]
    predicted = xr.concat([predict(run, path)["prediction"] for path in paths], "frame")
    gold = xr.concat([open_recording(path)["annotation"] for path in paths], "frame")
    assert best["ccc_mean"] == pytest.approx(float(ccc(gold, predicted, "frame").mean()), abs=1e-6)
