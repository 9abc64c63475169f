"""The OMG-Emotion loader on small handmade tables with known quirks."""

import warnings

import numpy as np
import pytest

from affectkit.datasets import align_to_frames, omg
from affectkit.errors import AffectkitError
from tests.datasets.files import write_grey, write_lines

HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"
KEYS = "link,start,end,video,utterance"


def row(video, utterance, labels="0.25,-0.5,4"):
    return f"https://example.org,0,1.5,{video},{utterance},{labels}"


@pytest.fixture
def root(tmp_path):
    write_lines(
        tmp_path / "omg_TrainVideos.csv",
        HEADER,
        row("abc", "utterance_1.mp4"),
        row("abc", "utterance_12.mp4", "0.312,-0.105,4"),
    )
    write_lines(tmp_path / "omg_ValidationVideos.csv", HEADER, row("_-x", "utterance_1.mp4"))
    write_grey(tmp_path / "videos" / "abc" / "utterance_12.mp4")
    return tmp_path


def read(root, name="abc_utterance_1"):
    return omg.annotations(root, name)["annotation"].values.tolist()


def test_index_has_one_row_per_utterance_and_the_video_is_the_subject(root):
    index = omg.index(root).set_index("recording")
    assert list(index.index) == ["abc_utterance_1", "abc_utterance_12", "_-x_utterance_1"]
    assert list(index["subject"]) == ["abc", "abc", "_-x"]
    assert list(index["split"]) == ["train", "train", "validation"]
    expected = ["", str(root / "videos" / "abc" / "utterance_12.mp4"), ""]
    assert list(index["video"]) == expected


def test_arousal_comes_first_and_is_scaled_from_its_range(root):
    annotation = omg.annotations(root, "abc_utterance_1")
    assert annotation["annotation"].sel(affect="valence") == -0.5
    assert annotation["annotation"].sel(affect="arousal") == 2 * 0.25 - 1
    assert annotation.attrs["source_range"] == {"valence": [-1, 1], "arousal": [0, 1]}


def test_the_label_applies_to_all_frames(root):
    aligned = align_to_frames(omg.annotations(root, "abc_utterance_1"), np.arange(3) / 25)
    assert aligned["annotation"].values.tolist() == [[-0.5, -0.5]] * 3


def test_rows_without_keys_are_ignored_and_counted_in_a_warning(root):
    path = root / "omg_TrainVideos.csv"
    write_lines(path, HEADER, row("abc", "utterance_1.mp4"), ",,,,,0.2,0.1,", ",,,,,0.3,0.1,")
    with pytest.warns(UserWarning, match=r"omg_TrainVideos\.csv: ignored 2 .*\(lines 3, 4\)"):
        assert len(omg.index(root)) == 2


def test_empty_rows_crlf_and_a_missing_last_line_end_are_accepted(root):
    lines = [HEADER, row("abc", "utterance_1.mp4"), ",,,,,,,", "", row("abc", "utterance_2.mp4")]
    (root / "omg_TrainVideos.csv").write_bytes("\r\n".join(lines).encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(omg.index(root)) == 3
    assert read(root, "abc_utterance_2") == [-0.5, -0.5]


def test_keys_are_stripped_and_may_be_called_name(root):
    header = HEADER.replace("video", "name")
    write_lines(root / "omg_TrainVideos.csv", header, row(" abc", "utterance_1.mp4 "))
    assert list(omg.index(root)["recording"]) == ["abc_utterance_1", "_-x_utterance_1"]
    assert read(root) == [-0.5, -0.5]


@pytest.fixture
def tested(root):
    labelled = [row("t", "utterance_2.mp4", "1,1,0"), row("t", "utterance_1.mp4", "0,-1,0")]
    write_lines(root / "omg_TestVideos_WithLabels.csv", HEADER, *labelled)
    keys = [f"https://example.org,0,1,t,utterance_{number}.mp4" for number in (3, 1, 2)]
    write_lines(root / "omg_TestVideos_WithoutLabels.csv", KEYS, *keys)
    return root


def test_test_tables_with_different_orders_are_joined_by_key(tested):
    assert read(tested, "t_utterance_1") == [-1, -1]
    assert read(tested, "t_utterance_2") == [1, 1]
    index = omg.index(tested).set_index("recording")
    assert (index["split"] == "test").sum() == 3
    assert "WithLabels" in index.loc["t_utterance_1", "annotation"][0]


def test_test_keys_without_a_label_are_listed_and_not_annotated(tested):
    assert np.isnan(read(tested, "t_utterance_3")).all()
    (tested / "omg_TestVideos_WithLabels.csv").unlink()
    assert (omg.index(tested)["split"] == "test").sum() == 3
    assert np.isnan(read(tested, "t_utterance_1")).all()


def test_an_empty_label_is_neither_an_error_nor_zero(root):
    path = root / "omg_TrainVideos.csv"
    write_lines(path, HEADER, row("abc", "utterance_1.mp4", ",,"))
    assert np.isnan(read(root)).all()


def test_a_changed_table_is_read_again(root):
    read(root)
    write_lines(root / "omg_TrainVideos.csv", HEADER, row("abc", "utterance_1.mp4", "1,1,0"))
    assert read(root) == [1, 1]


def test_wrong_root_and_unknown_recording_are_named(root, tmp_path_factory):
    with pytest.raises(AffectkitError, match="no OMG-Emotion in"):
        omg.index(tmp_path_factory.mktemp("empty"))
    with pytest.raises(AffectkitError, match="unknown recording 'abc_utterance_3': did you mean"):
        read(root, "abc_utterance_3")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER, "", row("abc", "utterance_1.mp4", "-0.2,0,4")],
         r"line 3: expected arousal in \[0, 1\], got arousal '-0\.2'"),
        ([HEADER, row("abc", "utterance_1.mp4", "0,low,4")], "line 2: expected valence in"),
        ([HEADER, *[row("abc", "utterance_1.mp4")] * 2],
         "line 3: expected each utterance once, got abc utterance_1.mp4 as in line 2"),
        ([HEADER.replace("utterance", "clip"), row("abc", "1.mp4")], "no column 'utterance'"),
        ([KEYS, "x,0,1,abc,utterance_1.mp4"], "no column 'valence'"),
    ],
)  # fmt: skip
def test_an_invalid_table_is_named_with_its_line(lines, message, root):
    write_lines(root / "omg_TrainVideos.csv", *lines)
    with pytest.raises(AffectkitError, match=rf"omg_TrainVideos\.csv.*{message}"):
        read(root)
