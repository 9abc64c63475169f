import pytest

from affectkit.results import prediction_path, save_result
from affectkit.run import write_metadata
from tests.conftest import fake_metadata, fake_prediction, fake_recording


@pytest.fixture
def run(tmp_path):
    """A run with a prediction of the first 38 of 40 frames of one recording."""
    write_metadata(tmp_path / "run", fake_metadata())
    prediction = fake_prediction(fake_recording("102")).isel(frame=slice(38))
    save_result(prediction, prediction_path(tmp_path / "run", "102"))
    return tmp_path / "run"


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample [1].txt"
    rows = [f"102/{k:05d}.jpg,0,0" for k in range(1, 41)]
    path.write_text("\n".join(["image_location,valence,arousal", *rows, ""]))
    return path


def test_predictions_are_written_and_checked(call, run, sample, tmp_path):
    out = tmp_path / "out.txt"
    status, out_text, err = call("submit", "abaw", run, "--sample", sample, "--out", out)
    assert (status, err) == (0, "")
    assert out_text.splitlines() == [
        "102: 2 of 40 rows have no prediction, the nearest in time was used",
        f"{out} matches the sample",
    ]
    status, out_text, _ = call("submit", "abaw", "--check", out, "--sample", sample)
    assert (status, out_text) == (0, f"{out} matches the sample\n")


def test_faults_are_listed_with_status_1(call, run, sample, tmp_path):
    out = tmp_path / "out.txt"
    call("submit", "abaw", run, "--sample", sample, "--out", out)
    out.write_text(out.read_text().replace("102/00007.jpg", "102/7.jpg"))
    status, out_text, _ = call("submit", "abaw", "--check", out, "--sample", sample)
    assert status == 1
    assert out_text.splitlines() == [
        "out.txt: missing rows: 1, first 102/00007.jpg",
        "out.txt: rows not in the sample: 1, first 102/7.jpg",
        f"{out}: 2 kinds of fault",
    ]


def test_overwrite_replaces_an_existing_file(call, run, sample, tmp_path):
    command = ("submit", "abaw", run, "--sample", sample, "--out", tmp_path / "out.txt")
    call(*command)
    status, _, err = call(*command)
    assert status == 2
    assert "exists already" in err
    assert call(*command, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["abaw"], "give RUN and --out"),
        (["abaw", "RUN"], "give RUN and --out"),
        (["abaw", "RUN", "--check", "x"], "give RUN and --out"),
        (["abav", "RUN", "--out", "x"], "did you mean 'abaw'"),
        (["abaw", "--check", "gone"], "no submission at gone"),
        (["abaw", "gone", "--out", "x"], "gone is not a run"),
    ],
)
def test_a_user_error_is_one_line(call, run, sample, arguments, message):
    arguments = [run if each == "RUN" else each for each in arguments]
    status, out, err = call("submit", *arguments, "--sample", sample)
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert out == ""
