"""Planted faults, one by one and all at once: each is named, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import affectkit
from affectkit.checking import summary
from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.files import write_text
from tests.checking.conftest import FPS, PEOPLE, SECONDS, labels, redraw, video

FRAMES = SECONDS * FPS


def text_label(root: Path) -> None:
    path = labels(root, "person_000")
    path.write_text(path.read_text().replace("\n", "\nhappy,0.1\n", 1))


def label_out_of_range(root: Path) -> None:
    path = labels(root, "person_001")
    path.write_text(path.read_text().replace("\n", "\n1.2,0\n", 1))


def labels_of_another_video(root: Path) -> None:
    path = labels(root, "person_002")
    path.write_text(path.read_text() + "0.1,0.1\n" * 30)


def empty_video(root: Path) -> None:
    video(root, "person_003").write_bytes(b"")


def cut_video(root: Path) -> None:
    content = video(root, "person_004").read_bytes()
    video(root, "person_004").write_bytes(content[: len(content) * 2 // 3])


def uneven_video(root: Path) -> None:
    times = np.cumsum(np.resize([0.04, 0.2], FRAMES))
    redraw(video(root, "person_005"), video(root, "person_005"), lambda picture: picture, times)


def lost_video(root: Path) -> None:
    video(root, "person_006").unlink()


def lost_labels(root: Path) -> None:
    labels(root, "person_007").unlink()


def people_of_a_video_in_two_splits(root: Path) -> None:
    shutil.copy(
        labels(root, "person_008", "Validation_Set"), labels(root, "person_008_right", "Train_Set")
    )


def copied_clip(root: Path) -> None:
    redraw(
        video(root, "person_009"),
        video(root, "stranger"),
        lambda picture: cv2.add(cv2.resize(picture, (96, 96)), (30, 30, 30, 0)),
    )
    shutil.copy(labels(root, "person_009", "Validation_Set"), labels(root, "stranger"))


FAULTS = {
    text_label: ("unreadable annotation", "person_000", "line 2: expected"),
    label_out_of_range: ("unreadable annotation", "person_001", "got '1.2,0'"),
    labels_of_another_video: ("annotation too long", "person_002", f"expected {FRAMES} frames"),
    empty_video: ("unreadable video", "person_003", "0 bytes"),
    cut_video: ("faulty video", "person_004", "cut short or damaged"),
    uneven_video: ("variable frame rate", "person_005", "got 40.0 ms at 11 of 23"),
    lost_video: ("annotation without video", "person_006", "got none"),
    lost_labels: ("video without annotation", "", "got none"),
    people_of_a_video_in_two_splits: (
        "subject in two splits",
        "person_008_right",
        "validation: person_008",
    ),
    copied_clip: ("near-duplicate across splits", "person_009", "'stranger' of train"),
}


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_one_fault_is_one_finding(plant, root):
    plant(root)
    (finding,) = affectkit.check("affwild2", root).findings
    kind, recording, words = FAULTS[plant]
    assert (finding.kind, finding.recording) == (kind, recording)
    assert words in finding.text
    assert str(root) not in "".join(finding)


def test_ten_faults_are_all_named_and_no_others(root, call):
    for plant in FAULTS:
        plant(root)
    status, out, _ = call("check", "affwild2", root, "--format", "json", "--workers", 2)
    assert status == 1
    found = [(finding["kind"], finding["recording"]) for finding in json.loads(out)["findings"]]
    assert sorted(found) == sorted(wanted[:2] for wanted in FAULTS.values())
    status, out, _ = call("check", "affwild2", root)
    assert status == 1
    assert "10 findings" in out
    assert all(words in out for _, _, words in FAULTS.values())


def test_a_clean_copy_has_no_findings_and_its_numbers_are_right(root, call):
    report = affectkit.check("affwild2", root)
    assert report.clean
    assert not report.notes
    rows = summary(report)
    assert list(rows.index) == ["train", "validation", "test", "all"]
    assert list(rows["recordings"]) == [*PEOPLE, sum(PEOPLE)]
    everything = rows.loc["all"]
    assert everything["decoded"] == everything["announced"] == sum(PEOPLE) * FRAMES
    assert everything["minutes"] == pytest.approx(sum(PEOPLE) * SECONDS / 60)
    written = [known["annotation"].values for known in synthetic.written(root).values()]
    values = np.concatenate(written).astype(np.float64)
    valid = values[np.isfinite(values).all(axis=1)]
    assert everything["annotated"] == len(valid) < len(values)
    assert everything["invalid"] == len(values) - len(valid)
    for column, affect in enumerate(("valence", "arousal")):
        assert everything[f"{affect}_mean"] == pytest.approx(valid[:, column].mean())
        assert everything[f"{affect}_sd"] == pytest.approx(valid[:, column].std())
        assert everything[f"{affect}_low"] == pytest.approx(valid[:, column].min())
    status, out, _ = call("check", "affwild2", root, "--recordings")
    assert status == 0
    assert "13 recordings, clean" in out
    assert "line k is frame k (13 recordings)" in out
    assert "person_012" in out


@pytest.mark.parametrize("traps", [False, True])
@pytest.mark.parametrize("layout", synthetic.LAYOUTS)
def test_what_a_layout_allows_is_no_finding(layout, traps, tmp_path):
    synthetic.write(tmp_path / "r", layout=layout, traps=traps, people=(2, 1, 1), seconds=2, fps=8,
                    size=64, workers=1)  # fmt: skip
    report = affectkit.check("synthetic", tmp_path / "r")
    assert report.clean, report.findings
    assert set(report.recordings["recording"]) == set(synthetic.written(tmp_path / "r"))
    assert summary(report)["annotated"].iloc[-1] > 0


def test_an_unusable_root_is_one_line_and_status_2(tmp_path, call):
    (tmp_path / "holiday").mkdir()
    status, out, err = call("check", "affwild2", tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "found holiday" in err
    assert call("check", "affwild2", tmp_path / "gone")[0] == 2
    assert "known are json, table" in call("check", "affwild2", tmp_path, "--format", "xml")[2]
    with pytest.raises(AffectkitError, match="did you mean 'recola'"):
        affectkit.check("recolla", tmp_path)


def test_a_video_that_is_none_does_not_hide_the_others(root):
    video(root, "person_000").write_text("not a video")
    report = affectkit.check("affwild2", root)
    assert [finding.kind for finding in report.findings] == ["unreadable video"]
    assert (report.recordings["decoded"] > 0).sum() == sum(PEOPLE) - 1


# root may read everything, unless it gives up the right to
AS_OTHERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def test_what_may_not_be_read_is_found(root):
    (root / "private").mkdir()
    for path in (video(root, "person_000"), labels(root, "person_001"), root / "private"):
        path.chmod(0)
    command = [sys.executable, "-m", "affectkit.cli.main", "check", "affwild2", str(root)]
    prefix = [] if os.geteuid() else AS_OTHERS
    done = subprocess.run(
        [*prefix, *command, "--format", "json"], capture_output=True, text=True, check=False
    )
    (root / "private").chmod(0o700)
    assert done.returncode == 1, done.stderr
    kinds = {finding["kind"]: finding["text"] for finding in json.loads(done.stdout)["findings"]}
    assert set(kinds) == {"unreadable video", "unreadable annotation", "unreadable folder"}
    assert all("ermission" in text for text in kinds.values())


@pytest.mark.parametrize("name", ["with space", "it's", 'say "x"', "ünï-日本", "[a]*?", "<b>"])
def test_any_name_will_do(name, root, call):
    video(root, "person_000").rename(video(root, name))
    labels(root, "person_000").rename(labels(root, name))
    (root / "ratings" / "person_000.csv").unlink()
    status, out, _ = call("check", "affwild2", root, "--recordings")
    assert status == 0, out
    assert name in out


def test_circles_of_links_end(root):
    (root / "batch1" / "up").symlink_to(root, target_is_directory=True)
    (root / "self").symlink_to(root / "self")
    (root / "linked").symlink_to(root / "batch1", target_is_directory=True)
    assert affectkit.check("affwild2", root).clean


def test_videos_may_wait_for_labels_that_are_kept_back(root):
    shutil.rmtree(labels(root, "x", "Test_Set").parent)
    report = affectkit.check("affwild2", root)
    assert report.clean
    (note,) = report.notes
    assert note.kind == "video without annotation"
    assert "2: batch1/person_011.mp4, batch1/person_012.mp4;" in note.text


def test_a_second_copy_of_a_video_is_a_note(root):
    (root / "batch1" / "batch1").mkdir()
    shutil.copy(video(root, "person_000"), root / "batch1" / "batch1")
    report = affectkit.check("affwild2", root)
    assert report.clean
    assert [note.kind for note in report.notes] == ["second copy of a video"]


def test_videos_that_the_pictures_came_from_are_let_be(tmp_path, drawn):
    root = synthetic.write(tmp_path / "r", layout="afew_va", people=(1, 0, 0), seconds=1, fps=8,
                           size=64, workers=1)  # fmt: skip
    shutil.copy(video(drawn, "person_000"), root / "film.mp4")
    assert affectkit.check("afew_va", root).clean


def test_labels_without_any_video_are_one_finding(root):
    shutil.rmtree(root / "batch1")
    (finding,) = affectkit.check("affwild2", root).findings
    assert "all 13 recordings" in finding.text


def test_one_label_too_many_is_a_note(root):
    path = labels(root, "person_000")
    path.write_text(path.read_text() + "0.1,0.1\n")
    report = affectkit.check("affwild2", root)
    assert report.clean
    assert [note.kind for note in report.notes] == ["one label more than frames"]


def test_labels_that_end_early_and_none_at_all(root):
    path = labels(root, "person_000")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:10]))
    write_text(labels(root, "person_001"), "valence,arousal\n" + "-5,-5\n" * FRAMES)
    report = affectkit.check("affwild2", root)
    assert [finding.kind for finding in report.findings] == ["annotation too short"]
    assert [note.kind for note in report.notes] == ["no valid label"]


def test_pictures_that_cannot_be_read_are_counted(tmp_path):
    root = synthetic.write(tmp_path / "r", layout="afew_va", people=(1, 0, 0), seconds=2, fps=8,
                           size=64, workers=1)  # fmt: skip
    broken = sorted(root.rglob("*.png"))[:2]
    broken[0].write_bytes(b"")
    broken[1].write_bytes(b"not a picture")
    (finding,) = affectkit.check("afew_va", root).findings
    assert finding.kind == "unreadable picture"
    assert finding.file.endswith(broken[0].name)
    assert finding.text.startswith("2 of ")


def test_progress_counts_to_the_end(root):
    told = []
    affectkit.check("affwild2", root, progress=lambda *state: told.append(state))
    assert ("annotations", 13, 13) in told
    assert told[-1] == ("videos", 13, 13)
