"""How a run predicts: recipe, contract and what is given, and what is kept of it."""

from typing import get_args

import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.predict import how_to_predict, predict, tune
from affectkit.recording import open_recording
from affectkit.run import open_prediction, read_contract, write_contract
from affectkit.signals import FILTERS, apply_filter
from affectkit.training.fit import fit
from affectkit.training.overlap import BLENDS
from affectkit.training.recipe import PredictSection


def test_every_filter_and_blend_can_be_named_in_a_recipe():
    fields = PredictSection.model_fields
    assert set(get_args(fields["smooth"].annotation)) == {"none", *FILTERS}
    assert set(get_args(fields["blend"].annotation)) == set(BLENDS)


def test_the_recipe_s_filter_is_in_the_contract_and_used(recordings, recipe, tmp_path):
    made = recipe(training__epochs=1, predict__smooth="median", predict__smooth_seconds=0.6)
    fit(made, recordings, tmp_path / "run")
    assert read_contract(tmp_path / "run")["predict"]["smooth"] == "median"
    result = predict(tmp_path / "run", recordings / "person_8.zarr")
    raw = predict(
        tmp_path / "run",
        recordings / "person_8.zarr",
        how=how_to_predict(tmp_path / "run", smooth="none"),
    )["prediction"]
    expected = apply_filter(raw.values, raw["time"].values, "median", 0.6)
    np.testing.assert_allclose(result["prediction"], expected, atol=1e-6)
    assert abs(result["prediction"] - raw).max() > 1e-4


def test_what_was_chosen_is_kept_with_the_prediction(run, recordings):
    how = how_to_predict(run, window=20, stride=8, blend="triangular", smooth="wiener")
    predict(run, recordings / "person_8.zarr", how=how)
    assert open_prediction(run, "person_8").attrs["how"] == {
        "window": 20, "stride": 8, "blend": "triangular", "smooth": "wiener", "smooth_seconds": 1.0
    }  # fmt: skip


def test_a_run_without_a_section_streams(run, recordings):
    contract = read_contract(run)
    del contract["predict"]
    write_contract(run, contract)
    assert how_to_predict(run) == PredictSection()


def test_windows_without_overlap_start_anew(run, recordings):
    """The paper's evaluation: the second window is what a recording that begins there gives."""
    how = how_to_predict(run, window=20)
    result = predict(run, recordings / "person_8.zarr", how=how)["prediction"]
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
        ({"smooth_seconds": float("inf")}, r"finite"),
    ],
)
def test_what_is_not_possible_is_refused(run, changes, message):
    with pytest.raises(AffectkitError, match=message):
        how_to_predict(run, **changes)


def test_tuning_looks_at_validation_recordings_only(run, recordings):
    """The others are gone, so that they cannot have been read."""
    for name in ("train", "test"):
        for each in read_contract(run)["splits"][name]:
            (recordings / f"{each}.zarr").rename(recordings / f"{each}.away")
    table = tune(run)
    assert list(table["ccc_mean"]) == sorted(table["ccc_mean"], reverse=True)
    assert len(table) == 1 + len(FILTERS) * 6
    best, kept = table.iloc[0], read_contract(run)["predict"]
    assert kept["smooth"] == best["smooth"]
    assert how_to_predict(run).model_dump() == kept
    assert "validation" in next(iter(read_contract(run)["tuned"].values()))


def test_a_choice_s_score_is_that_of_the_predictions_it_makes(run, recordings):
    from affectkit.metrics import ccc

    table = tune(run)
    best = table.iloc[0]
    stores = [recordings / f"{n}.zarr" for n in read_contract(run)["splits"]["validation"]]
    predicted = xr.concat([predict(run, store)["prediction"] for store in stores], "frame")
    gold = xr.concat([open_recording(store)["annotation"] for store in stores], "frame")
    assert best["ccc_mean"] == pytest.approx(float(ccc(gold, predicted, "frame").mean()), abs=1e-6)
