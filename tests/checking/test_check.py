"""Added problems, one at a time and all together: each gives its finding, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import affectkit
from affectkit.checking import summary
from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.files import write_text
from tests.checking.conftest import FPS, SECONDS, SUBJECTS, labels, rewrite_video, video

FRAMES = SECONDS * FPS
TOO_MANY_PIXELS = (20_000, 9_500)  # more than Pillow decodes


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
    rewrite_video(
        video(root, "person_005"), video(root, "person_005"), lambda picture: picture, times
    )


def lost_video(root: Path) -> None:
    video(root, "person_006").unlink()


def lost_labels(root: Path) -> None:
    labels(root, "person_007").unlink()


def subjects_of_a_video_in_two_splits(root: Path) -> None:
    shutil.copy(
        labels(root, "person_008", "Validation_Set"), labels(root, "person_008_right", "Train_Set")
    )


def copied_clip(root: Path) -> None:
    rewrite_video(
        video(root, "person_009"),
        video(root, "stranger"),
        lambda picture: cv2.add(cv2.resize(picture, (96, 96)), (30, 30, 30, 0)),
    )
    shutil.copy(labels(root, "person_009", "Validation_Set"), labels(root, "stranger"))


PROBLEMS = {
    text_label: ("unreadable annotation", "person_000", "line 2: expected"),
    label_out_of_range: ("unreadable annotation", "person_001", "got '1.2,0'"),
    labels_of_another_video: ("annotation too long", "person_002", f"expected {FRAMES} frames"),
    empty_video: ("unreadable video", "person_003", "0 bytes"),
    cut_video: ("damaged video", "person_004", "cut short or damaged"),
    uneven_video: ("variable frame rate", "person_005", "got 40.0 ms at 11 of 23"),
    lost_video: ("annotation without video", "person_006", "got none"),
    lost_labels: ("video without annotation", "", "got none"),
    subjects_of_a_video_in_two_splits: (
        "subject in two splits",
        "person_008_right",
        "validation: person_008",
    ),
    copied_clip: ("near-duplicate across splits", "person_009", "'stranger' of train"),
}


@pytest.mark.parametrize("plant", PROBLEMS, ids=lambda plant: plant.__name__)
def test_one_problem_is_one_finding(plant, root):
    plant(root)
    (finding,) = affectkit.check("affwild2", root).findings
    kind, recording, words = PROBLEMS[plant]
    assert (finding.kind, finding.recording) == (kind, recording)
    assert words in finding.text
    assert str(root) not in "".join(finding)


def test_ten_problems_give_exactly_ten_findings(root, call):
    for plant in PROBLEMS:
        plant(root)
    status, out, _ = call("check", "affwild2", root, "--format", "json", "--workers", 2)
    assert status == 1
    found = [(finding["kind"], finding["recording"]) for finding in json.loads(out)["findings"]]
    assert sorted(found) == sorted(wanted[:2] for wanted in PROBLEMS.values())
    status, out, _ = call("check", "affwild2", root)
    assert status == 1
    assert "10 findings" in out
    assert all(words in out for _, _, words in PROBLEMS.values())


def test_a_clean_copy_has_no_findings_and_its_numbers_are_right(root, call):
    report = affectkit.check("affwild2", root)
    assert report.clean
    assert not report.notes
    rows = summary(report)
    assert list(rows.index) == ["train", "validation", "test", "all"]
    assert list(rows["recordings"]) == [*SUBJECTS, sum(SUBJECTS)]
    everything = rows.loc["all"]
    assert everything["decoded_frames"] == everything["header_frames"] == sum(SUBJECTS) * FRAMES
    assert everything["minutes"] == pytest.approx(sum(SUBJECTS) * SECONDS / 60)
    expected = [
        annotation["annotation"].values
        for annotation in synthetic.expected_annotations(root).values()
    ]
    values = np.concatenate(expected).astype(np.float64)
    valid = values[np.isfinite(values).all(axis=1)]
    assert everything["annotated_frames"] == len(valid) < len(values)
    assert everything["invalid"] == len(values) - len(valid)
    for column, affect in enumerate(("valence", "arousal")):
        assert everything[f"{affect}_mean"] == pytest.approx(valid[:, column].mean())
        assert everything[f"{affect}_std"] == pytest.approx(valid[:, column].std())
        assert everything[f"{affect}_min"] == pytest.approx(valid[:, column].min())
    status, out, _ = call("check", "affwild2", root, "--recordings")
    assert status == 0
    assert "13 recordings, no findings" in out
    assert "line k is frame k (13 recordings)" in out
    assert "person_012" in out


@pytest.mark.parametrize("quirks", [False, True])
@pytest.mark.parametrize("layout", synthetic.LAYOUTS)
def test_quirks_of_a_layout_are_no_findings(layout, quirks, tmp_path):
    synthetic.write_synthetic(
        tmp_path / "r",
        layout=layout,
        quirks=quirks,
        subjects=(2, 1, 1),
        seconds=2,
        fps=8,
        size=64,
        workers=1,
    )
    report = affectkit.check("synthetic", tmp_path / "r")
    assert report.clean, report.findings
    assert set(report.recordings["recording"]) == set(
        synthetic.expected_annotations(tmp_path / "r")
    )
    assert summary(report)["annotated_frames"].iloc[-1] > 0


def test_an_unusable_root_gives_one_line_and_status_2(tmp_path, call):
    (tmp_path / "holiday").mkdir()
    status, out, err = call("check", "affwild2", tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "found holiday" in err
    assert call("check", "affwild2", tmp_path / "gone")[0] == 2
    assert (
        "expected one of json, table" in call("check", "affwild2", tmp_path, "--format", "xml")[2]
    )
    with pytest.raises(AffectkitError, match="did you mean 'recola'"):
        affectkit.check("recolla", tmp_path)


def test_an_invalid_video_does_not_hide_others(root):
    video(root, "person_000").write_text("not a video")
    report = affectkit.check("affwild2", root)
    assert [finding.kind for finding in report.findings] == ["unreadable video"]
    assert (report.recordings["decoded_frames"] > 0).sum() == sum(SUBJECTS) - 1


# root can read everything unless it gives up these capabilities
WITHOUT_ROOT_CAPABILITIES = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def test_files_without_read_permission_are_found(root):
    (root / "private").mkdir()
    for path in (video(root, "person_000"), labels(root, "person_001"), root / "private"):
        path.chmod(0)
    command = [sys.executable, "-m", "affectkit.cli.main", "check", "affwild2", str(root)]
    prefix = [] if os.geteuid() else WITHOUT_ROOT_CAPABILITIES
    done = subprocess.run(
        [*prefix, *command, "--format", "json"], capture_output=True, text=True, check=False
    )
    (root / "private").chmod(0o700)
    assert done.returncode == 1, done.stderr
    kinds = {finding["kind"]: finding["text"] for finding in json.loads(done.stdout)["findings"]}
    assert set(kinds) == {"unreadable video", "unreadable annotation", "unreadable folder"}
    assert all("ermission" in text for text in kinds.values())


@pytest.mark.parametrize("name", ["with space", "it's", 'say "x"', "ünï-日本", "[a]*?", "<b>"])
def test_any_file_name_is_accepted(name, root, call):
    video(root, "person_000").rename(video(root, name))
    labels(root, "person_000").rename(labels(root, name))
    (root / "ratings" / "person_000.csv").unlink()
    status, out, _ = call("check", "affwild2", root, "--recordings")
    assert status == 0, out
    assert name in out


def test_loops_of_links_end(root):
    (root / "batch1" / "up").symlink_to(root, target_is_directory=True)
    (root / "self").symlink_to(root / "self")
    (root / "linked").symlink_to(root / "batch1", target_is_directory=True)
    assert affectkit.check("affwild2", root).clean


def test_videos_without_unpublished_test_labels_are_a_note(root):
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


def test_source_videos_of_pictures_are_ignored(tmp_path, synthetic_root):
    root = synthetic.write_synthetic(
        tmp_path / "r", layout="afew_va", subjects=(1, 0, 0), seconds=1, fps=8, size=64, workers=1
    )
    shutil.copy(video(synthetic_root, "person_000"), root / "film.mp4")
    assert affectkit.check("afew_va", root).clean


def test_labels_without_any_video_are_one_finding(root):
    shutil.rmtree(root / "batch1")
    (finding,) = affectkit.check("affwild2", root).findings
    assert "all 13 recordings" in finding.text


def test_one_extra_label_is_a_note(root):
    path = labels(root, "person_000")
    path.write_text(path.read_text() + "0.1,0.1\n")
    report = affectkit.check("affwild2", root)
    assert report.clean
    assert [note.kind for note in report.notes] == ["one label more than frames"]


def test_labels_may_end_early_or_all_be_invalid(root):
    path = labels(root, "person_000")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:10]))
    write_text(labels(root, "person_001"), "valence,arousal\n" + "-5,-5\n" * FRAMES)
    report = affectkit.check("affwild2", root)
    assert [finding.kind for finding in report.findings] == ["annotation too short"]
    assert [note.kind for note in report.notes] == ["no valid label"]


def test_pictures_that_cannot_be_read_are_counted(tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "r", layout="afew_va", subjects=(1, 0, 0), seconds=2, fps=8, size=64, workers=1
    )
    broken = sorted(root.rglob("*.png"))[:3]
    broken[0].write_bytes(b"")
    broken[1].write_bytes(b"not a picture")
    Image.new("1", TOO_MANY_PIXELS).save(broken[2])
    (finding,) = affectkit.check("afew_va", root).findings
    assert finding.kind == "unreadable picture"
    assert finding.file.endswith(broken[0].name)
    assert finding.text.startswith("3 of ")


def test_progress_reaches_the_total(root):
    told = []
    affectkit.check("affwild2", root, progress=lambda *state: told.append(state))
    assert ("annotations", 13, 13) in told
    assert told[-1] == ("videos", 13, 13)
