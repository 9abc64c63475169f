import pytest

from affectkit.run import prediction_path, save_result, write_contract
from tests.conftest import fake_prediction, fake_recording


@pytest.fixture
def run(tmp_path):
    """A run that has predicted one recording of 40 frames, without the last two."""
    write_contract(tmp_path / "run", {})
    prediction = fake_prediction(fake_recording("102")).isel(frame=slice(38))
    save_result(prediction, prediction_path(tmp_path / "run", "102"))
    return tmp_path / "run"


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample [1].txt"
    rows = [f"102/{k:05d}.jpg,0,0" for k in range(1, 41)]
    path.write_text("\n".join(["image_location,valence,arousal", *rows, ""]))
    return path


def test_a_run_is_written_reported_and_checked(call, run, sample, tmp_path):
    out = tmp_path / "out.txt"
    status, said, err = call("submit", "abaw", run, "--sample", sample, "--out", out)
    assert (status, err) == (0, "")
    assert said.splitlines() == [
        "102: 2 of 40 rows have no prediction, the nearest in time was taken",
        f"{out} fits the sample",
    ]
    status, said, _ = call("submit", "abaw", "--check", out, "--sample", sample)
    assert (status, said) == (0, f"{out} fits the sample\n")


def test_faults_are_named_with_status_1(call, run, sample, tmp_path):
    out = tmp_path / "out.txt"
    call("submit", "abaw", run, "--sample", sample, "--out", out)
    out.write_text(out.read_text().replace("102/00007.jpg", "102/7.jpg"))
    status, said, _ = call("submit", "abaw", "--check", out, "--sample", sample)
    assert status == 1
    assert said.splitlines() == [
        "out.txt: missing rows: 1, first 102/00007.jpg",
        "out.txt: rows not in the sample: 1, first 102/7.jpg",
        f"{out}: 2 kinds of fault",
    ]


def test_a_file_is_replaced_when_asked(call, run, sample, tmp_path):
    command = ("submit", "abaw", run, "--sample", sample, "--out", tmp_path / "out.txt")
    call(*command)
    status, _, err = call(*command)
    assert status == 2
    assert "exists already" in err
    assert call(*command, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["abaw"], "give either RUN and --out"),
        (["abaw", "RUN"], "give either RUN and --out"),
        (["abaw", "RUN", "--check", "x"], "give either RUN and --out"),
        (["abav", "RUN", "--out", "x"], "did you mean 'abaw'"),
        (["abaw", "--check", "gone"], "no submission at gone"),
        (["abaw", "gone", "--out", "x"], "gone is not a run"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_line(call, run, sample, arguments, message):
    arguments = [run if each == "RUN" else each for each in arguments]
    status, out, err = call("submit", *arguments, "--sample", sample)
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert out == ""
