import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.results import prediction_path, save_result
from affectkit.run import write_metadata
from affectkit.submission import CHALLENGES, check_submission, write_submission
from tests.conftest import fake_metadata

SINGLE = ("abaw", "omg")


def out_of(case, tmp_path):
    return tmp_path / ("out.csv" if case.challenge in SINGLE else "out")


def write_case(case, tmp_path, **options):
    out = out_of(case, tmp_path)
    return out, write_submission(case.challenge, case.predictions, case.sample, out, **options)


def clipped(prediction: xr.Dataset) -> xr.DataArray:
    return prediction["prediction"].clip(-1, 1).astype(float)


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_written_submission_is_valid(make_case, tmp_path, challenge):
    case = make_case(challenge)
    out, _ = write_case(case, tmp_path)
    assert check_submission(challenge, out, case.sample) == []


def test_abaw_has_exactly_the_rows_of_the_sample(make_case, tmp_path):
    case = make_case("abaw")
    out, notes = write_case(case, tmp_path)
    lines, sample = out.read_text().splitlines(), case.sample.read_text().splitlines()
    assert lines[0] == "image_location,valence,arousal"
    assert [line.split(",")[0] for line in lines] == [line.split(",")[0] for line in sample]
    read = pd.read_csv(out)
    expected = xr.concat([clipped(case.predictions[name]) for name in ("102", "7_left")], "frame")
    np.testing.assert_array_equal(read[["valence", "arousal"]], expected.round(3))
    assert read[["valence", "arousal"]].abs().max().max() == 1
    assert lines[1].split(",")[1] == f"{float(expected[0, 0]):.3f}"
    assert notes == []


def test_abaw_2020_has_a_file_for_each_track(make_case, tmp_path):
    case = make_case("abaw2020")
    out, _ = write_case(case, tmp_path)
    assert sorted(path.name for path in out.iterdir()) == ["102.txt", "7_left.txt"]
    read = pd.read_csv(out / "7_left.txt")
    assert list(read) == ["valence", "arousal"]
    np.testing.assert_array_equal(read, clipped(case.predictions["7_left"]).round(3))


def test_omg_has_the_mean_of_each_utterance_arousal_first_and_from_0_to_1(make_case, tmp_path):
    case = make_case("omg")
    out, _ = write_case(case, tmp_path)
    lines = out.read_text().splitlines()
    assert lines[0] == "video,utterance,arousal,valence"
    assert [line.rsplit(",", 2)[0] for line in lines[1:]] == [
        "abc_1,utterance_1.mp4",
        "abc_1,utterance_12.mp4",
        "xyz,utterance_1.mp4",
    ]
    read = pd.read_csv(out)
    means = [each["prediction"].astype(float).mean("frame") for each in case.predictions.values()]
    mean = xr.concat(means, "row")
    np.testing.assert_allclose(read["valence"], mean.sel(affect="valence"), atol=6e-7)
    np.testing.assert_allclose(read["arousal"], (mean.sel(affect="arousal") + 1) / 2, atol=6e-7)


def test_omg_accepts_name_as_the_video_column(make_case, tmp_path):
    case = make_case("omg")
    out, _ = write_case(case, tmp_path)
    text = case.sample.read_text().replace(",video,", ",name,")
    case.sample.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert check_submission("omg", out, case.sample) == []


def test_sewa_is_interpolated_in_time(make_case, tmp_path):
    case = make_case("sewa")
    out, notes = write_case(case, tmp_path)
    lines = (out / "Devel_DE_01.csv").read_text().splitlines()
    sample = (case.sample / "Devel_DE_01.csv").read_text().splitlines()
    assert [line.split(";")[:2] for line in lines] == [line.split(";")[:2] for line in sample]
    read = pd.read_csv(out / "Devel_DE_01.csv", sep=";", quotechar="'")
    prediction = case.predictions["Devel_DE_01"]["prediction"].astype(float)
    known = read["timestamp"] <= 39 / 25
    for affect in ("arousal", "valence"):
        line = np.interp(read["timestamp"], np.arange(40) / 25, prediction.sel(affect=affect))
        np.testing.assert_allclose(read[affect], line.clip(-1, 1), atol=6e-7)
    assert (read["liking"] == 0).all()
    rows = int((~known).sum())
    assert notes[0] == (
        f"Devel_DE_01: {rows} of 36 rows have no prediction, the nearest in time was used"
    )


def test_recola_has_a_file_for_each_recording_and_affect(make_case, tmp_path):
    case = make_case("recola")
    out, notes = write_case(case, tmp_path)
    assert notes == []
    for affect in ("arousal", "valence"):
        lines = (out / affect / "dev_2.arff").read_text().splitlines()
        assert lines[:9] == (case.sample / "arousal/dev_2.arff").read_text().splitlines()[:9]
        assert [line.rsplit(",", 1)[0] for line in lines[9:12]] == [
            "dev_2,0",
            "dev_2,0.04",
            "dev_2,0.08",
        ]
        values = [float(line.rsplit(",", 1)[1]) for line in lines[9:]]
        expected = clipped(case.predictions["dev_2"]).sel(affect=affect)[:38]
        np.testing.assert_allclose(values, expected, atol=6e-7)


def test_frames_without_face_use_the_nearest_in_time_and_are_reported(make_case, tmp_path):
    case = make_case("abaw2020")
    prediction = case.predictions["102"]
    prediction["prediction"][10:13] = np.nan
    prediction["prediction"][20, 0] = np.nan
    prediction["time"][11:] += 0.5  # the frames 11 and 12 are nearer to 13 than to 9
    out, notes = write_case(case, tmp_path)
    read, expected = pd.read_csv(out / "102.txt").to_numpy(), clipped(prediction).round(3).values
    np.testing.assert_array_equal(read[10], expected[9])
    np.testing.assert_array_equal(read[[11, 12]], expected[[13, 13]])
    np.testing.assert_array_equal(read[20], expected[19])
    np.testing.assert_array_equal(np.delete(read, [10, 11, 12, 20], 0),
                                  np.delete(expected, [10, 11, 12, 20], 0))  # fmt: skip
    assert notes == ["102: 4 of 40 rows have no prediction, the nearest in time was used"]
    assert check_submission("abaw2020", out, case.sample) == []


def test_frames_without_prediction_use_the_nearest(make_case, tmp_path):
    case = make_case("abaw")
    case.predictions["102"] = case.predictions["102"].isel(frame=[0, 1, 5, 30])
    out, notes = write_case(case, tmp_path)
    read = pd.read_csv(out)[["valence", "arousal"]].to_numpy()[:40]
    expected = clipped(case.predictions["102"]).round(3).values
    chosen = [0, 1, 1, 1, 2, 2, *[2] * 12, *[3] * 22]  # frame 3 is as near to 1 as to 5
    np.testing.assert_array_equal(read, expected[chosen])
    assert notes == ["102: 36 of 40 rows have no prediction, the nearest in time was used"]


def test_a_recording_without_any_face_is_neutral(make_case, tmp_path):
    case = make_case("omg")
    case.predictions["xyz_utterance_1"]["prediction"][:] = np.nan
    out, notes = write_case(case, tmp_path)
    assert out.read_text().splitlines()[-1] == "xyz,utterance_1.mp4,0.500000,0.000000"
    assert notes == ["xyz_utterance_1: no predictions, its 1 rows are neutral (0)"]


def test_zero_has_no_minus_sign(make_case, tmp_path):
    case = make_case("abaw2020")
    case.predictions["102"]["prediction"][:] = -0.0001
    out, _ = write_case(case, tmp_path)
    assert set((out / "102.txt").read_text().splitlines()[1:]) == {"0.000,0.000"}


def test_the_predictions_of_a_run_are_read(make_case, tmp_path):
    case = make_case("abaw")
    run = tmp_path / "run"
    write_metadata(run, fake_metadata())
    for name, prediction in {**case.predictions, "other": case.predictions["102"]}.items():
        attrs = {"recording": name, "recording_path": "", "run": "fake"}
        stored = prediction.clip(-1, 1).assign_attrs(attrs)
        save_result(stored, prediction_path(run, name))
    write_submission("abaw", str(run), str(case.sample), str(tmp_path / "of run.txt"))
    out, _ = write_case(case, tmp_path)
    assert (tmp_path / "of run.txt").read_bytes() == out.read_bytes()


def test_an_existing_submission_is_replaced_only_with_overwrite(make_case, tmp_path):
    case = make_case("sewa")
    out, _ = write_case(case, tmp_path)
    with pytest.raises(AffectkitError, match="exists already"):
        write_case(case, tmp_path)
    written = {path: path.read_bytes() for path in out.iterdir()}
    for path in written:
        path.write_text("x")
    write_case(case, tmp_path, overwrite=True)
    assert {path: path.read_bytes() for path in out.iterdir()} == written


def test_missing_predictions_are_reported_and_nothing_is_written(make_case, tmp_path):
    case = make_case("omg")
    del case.predictions["xyz_utterance_1"]
    with pytest.raises(AffectkitError, match=r"no prediction for 1 of the 3 recordings of .*xyz"):
        write_case(case, tmp_path)
    assert not out_of(case, tmp_path).exists()


@pytest.mark.parametrize(
    ("challenge", "text", "message"),
    [
        ("abaw", "image_location,valence,arousal\n102/1.png,0,0\n", r":2 has '102/1.png,0,0'"),
        ("abaw", "image_location,valence,arousal\n", "no row"),
        ("abaw", "102/00001.jpg,0,0\n", ":1 has '102/00001.jpg,0,0', expected a header"),
        ("abaw2020", "0.1,0.2\n", "begins with 'valence,arousal'"),
        ("abaw2020", "", ":1 has nothing"),
        ("sewa", "'a';0;0;0;0\n", "begins with 'name;timestamp'"),
        ("omg", "link,start,end\n", "no column video and utterance"),
        ("omg", "", "cannot be read as CSV"),
        ("sewa", "name;timestamp\n'a';zero\n", "no time stamp in row 1"),
        ("sewa", "name;timestamp\n", "has no rows"),
        ("recola", "dev_1,0,0.1\n", "no line @data"),
    ],
)
def test_a_sample_in_another_format_raises_an_error(tmp_path, challenge, text, message):
    sample = tmp_path / "sample.txt"
    sample.write_text(text)
    with pytest.raises(AffectkitError, match=message):
        write_submission(challenge, {}, sample, tmp_path / "out")


def test_a_missing_sample_and_an_unknown_challenge_raise_an_error(tmp_path):
    for challenge in CHALLENGES:
        with pytest.raises(AffectkitError, match="gone"):
            write_submission(challenge, {}, tmp_path / "gone", tmp_path / "out")
    with pytest.raises(AffectkitError, match="did you mean 'abaw'"):
        write_submission("abav", {}, tmp_path, tmp_path / "out")
    with pytest.raises(AffectkitError, match="is a folder; expected the organisers' sample"):
        write_submission("abaw", {}, tmp_path, tmp_path / "out")


@pytest.mark.parametrize("challenge", ["abaw", "sewa"])
def test_a_folder_of_other_files_is_never_replaced(challenge, make_case, tmp_path):
    case = make_case(challenge)
    kept = tmp_path / "mine" / "thesis.tex"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(AffectkitError, match=r"mine is a folder|not written by affectkit"):
        write_submission(challenge, case.predictions, case.sample, kept.parent, overwrite=True)
    assert kept.read_text() == "mine"
