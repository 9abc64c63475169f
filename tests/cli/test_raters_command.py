import io

import pandas as pd
import pytest
import xarray as xr

from affectkit.recording import open_recording, save_recording
from affectkit.results import prediction_path, save_result
from affectkit.run import read_scores, write_metadata
from tests.conftest import fake_metadata, fake_prediction, fake_recording


@pytest.fixture
def rated(tmp_path):
    recording = fake_recording("one", 200)
    ratings = [0.5 * recording["annotation"] + offset for offset in (0.0, 0.1)]
    recording["rating"] = xr.concat(ratings, "rater")
    save_recording(recording, tmp_path / "one.zarr")
    return tmp_path


def test_the_agreement_of_raters_is_a_table(call, rated):
    status, out, err = call("raters", rated)
    assert (status, err) == (0, "")
    assert "(mean)" in out
    assert "each rater against the mean of the others" in out


def test_the_agreement_as_csv_can_be_read_by_pandas(call, rated):
    table = pd.read_csv(io.StringIO(call("raters", rated, "--format", "csv")[1]), index_col=0)
    assert list(table.index) == ["one", "(mean)"]
    assert table.loc["one", "ICC(3,1) V"] == pytest.approx(1)


def test_a_user_error_is_one_line(call, rated, tmp_path):
    save_recording(fake_recording("two"), tmp_path / "other" / "two.zarr")
    for arguments, message in (
        ((rated, "--format", "csw"), "did you mean 'csv'"),
        ((tmp_path / "other",), "has ratings of two or more raters"),
        ((tmp_path / "gone",), "no recordings in"),
    ):
        status, _, err = call("raters", *arguments)
        assert status == 2
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert message in err


def test_evaluate_shows_the_agreement_of_raters_and_saves_the_scores_of_the_run_only(
    call, rated, tmp_path
):
    run = tmp_path / "run"
    write_metadata(run, fake_metadata(splits={"test": ["one"]}, recordings=str(rated)))
    prediction = fake_prediction(open_recording(rated / "one.zarr"))
    save_result(prediction, prediction_path(run, "one"))
    status, out, err = call("evaluate", run)
    assert (status, err) == (0, "")
    assert "(one rater, all)" in out
    assert "each human rater against the mean of the others" in out
    assert set(read_scores(run)["recording"]) == {"(all)", "(mean)", "one"}
