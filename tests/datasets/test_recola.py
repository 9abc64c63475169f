"""The RECOLA loader on small handmade copies with known quirks."""

import numpy as np
import pytest

from affectkit.datasets import align_to_frames, recola
from affectkit.errors import AffectkitError
from tests.datasets.files import write_grey, write_lines

HEAD = """@relation GOLDSTANDARD

@attribute Instance_name string
@attribute frameTime numeric
@attribute GoldStandard numeric


@data""".splitlines()


def write_arff(root, name, valence, arousal, head=HEAD, quote=""):
    for affect, values in (("valence", valence), ("arousal", arousal)):
        rows = [f"{quote}{name}{quote},{0.04 * row:g},{value}" for row, value in enumerate(values)]
        path = root / "ratings_gold_standard" / affect / f"{name}.arff"
        write_lines(path, *head, *rows, end="\r\n")


def write_csv(folder, name, valence, arousal, header="time,value", step=0.04):
    for affect, rows in (("valence", valence), ("arousal", arousal)):
        delimiter = ";" if ";" in header else ","
        lines = [f"{step * row:g}{delimiter}{cells}" for row, cells in enumerate(rows)]
        write_lines(folder / affect / f"{name}.csv", header, *lines)


@pytest.fixture
def avec(tmp_path):
    write_arff(tmp_path, "train_1", [0.1, 0.2, 0.3], [-0.1, -0.2, -0.3])
    write_arff(tmp_path, "dev_1", [0, 0, 0], [0, 0, 0])
    write_grey(tmp_path / "recordings_video" / "train_1.mp4", frames=2)
    return tmp_path


@pytest.fixture
def original(tmp_path):
    write_csv(tmp_path / "Ratings_affective_behaviour_CCC_centred", "P16", [0.1, 0.2], [0.3, 0.4])
    return tmp_path


def read(root, name):
    return recola.annotations(root, name)["annotation"].values.tolist()


def test_index_takes_splits_from_names_and_videos_from_any_folder(avec):
    index = recola.index(avec).set_index("recording")
    assert list(index.index) == ["dev_1", "train_1"]
    assert list(index["split"]) == ["validation", "train"]
    assert list(index["subject"]) == ["dev_1", "train_1"]
    assert index.loc["train_1", "video"] == str(avec / "recordings_video" / "train_1.mp4")
    assert index.loc["dev_1", "video"] == ""
    assert [path.split("/")[-2] for path in index.loc["dev_1", "annotation"]] == [
        "valence",
        "arousal",
    ]


def test_the_folder_determines_the_affect_and_crlf_is_read(avec):
    np.testing.assert_allclose(read(avec, "train_1"), [[0.1, -0.1], [0.2, -0.2], [0.3, -0.3]])


def test_one_extra_row_is_matched_by_time(avec):
    annotation = recola.annotations(avec, "train_1")
    np.testing.assert_allclose(annotation["time"], [0, 0.04, 0.08])
    aligned = align_to_frames(annotation, np.array([0, 0.04]))["annotation"]
    np.testing.assert_allclose(aligned, [[0.1, -0.1], [0.2, -0.2]], rtol=1e-6)


def test_files_with_different_first_times_are_matched_by_time(avec):
    path = avec / "ratings_gold_standard" / "arousal" / "train_1.arff"
    write_lines(path, *HEAD, "train_1,0.04,0.5", "train_1,0.08,0.6", "train_1,0.12,0.7")
    values = np.array(read(avec, "train_1"))
    np.testing.assert_allclose(values[1:3], [[0.2, 0.5], [0.3, 0.6]], rtol=1e-6)
    assert np.isnan(values[[0, 3]]).all()


@pytest.mark.parametrize(
    "head",
    [
        [line for line in HEAD if line],
        [*HEAD, "", ""],
        ["@RELATION x", "@ATTRIBUTE 'name' string", "@attribute \"frameTime\" numeric",
         "@attribute gold numeric", "@DATA"],
    ],
)  # fmt: skip
def test_data_begin_after_the_data_line(head, tmp_path):
    write_arff(tmp_path, "train_1", [0.5], [0.25], head, quote="'")
    assert read(tmp_path, "train_1") == [[0.5, 0.25]]


def test_ratings_are_read_by_rater(avec):
    folder = avec / "ratings_individual"
    write_csv(folder, "train_1", ["0.1;0.2"] * 4, ["0.3;0.4"] * 4, "time;FM1 ;FF1")
    rating = recola.annotations(avec, "train_1")["rating"]
    assert rating.dims == ("rater", "sample", "affect")
    assert list(rating["rater"].values) == ["FM1", "FF1"]
    assert rating.sizes["sample"] == 3
    np.testing.assert_allclose(rating.sel(rater="FF1", affect="arousal"), 0.4, rtol=1e-6)
    assert "rating" not in recola.annotations(avec, "dev_1")


def test_original_layout_has_the_time_in_its_first_column_and_no_splits(original):
    write_grey(original / "Video_recordings_MP4" / "P16.mp4")
    row = recola.index(original).iloc[0]
    assert (row["recording"], row["split"], row["frames"]) == ("P16", "", 4)
    np.testing.assert_allclose(read(original, "P16"), [[0.1, 0.3], [0.2, 0.4]])


def test_raters_only_give_the_gold_standard_of_avec(tmp_path):
    folder = tmp_path / "RECOLA-Annotation" / "emotional_behaviour"
    rows = ["0;0.4", "0.2;0.6", "0.4;0.8"]
    write_csv(folder, "P16", rows, rows, "time;FM1 ;FM2 ")
    annotation = recola.annotations(tmp_path, "P16")
    # both raters agree alike, so both are moved to the mean of their means, 0.4
    np.testing.assert_allclose(
        annotation["annotation"], [[0.2] * 2, [0.4] * 2, [0.6] * 2], rtol=1e-6
    )
    assert annotation.sizes["rater"] == 2
    assert "computed from the raters" in annotation.attrs["alignment"]
    assert list(recola.index(tmp_path)["recording"]) == ["P16"]


def test_wrong_root_unknown_recording_and_a_missing_affect_are_named(avec, tmp_path_factory):
    with pytest.raises(AffectkitError, match=r"RECOLA in .* expected ratings_gold_standard or"):
        recola.index(tmp_path_factory.mktemp("empty"))
    with pytest.raises(AffectkitError, match="did you mean 'train_1'"):
        recola.annotations(avec, "train_2")
    (avec / "ratings_gold_standard" / "arousal" / "train_1.arff").unlink()
    assert len(recola.index(avec)) == 2
    with pytest.raises(AffectkitError, match="'train_1' has no arousal"):
        recola.annotations(avec, "train_1")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*HEAD, "dev_1,0,0", "dev_1,0.04,high"], "line 10: expected GoldStandard in .*'high'"),
        ([*HEAD, "", "dev_1,0,1.5"], r"line 10: expected GoldStandard in \[-1, 1\], got"),
        ([*HEAD, "dev_1,0,0", "dev_1,0,0"], "line 10: expected one row per time, got 0 s again"),
        (["time,value", "0,0"], "expected an ARFF file"),
    ],
)
def test_an_invalid_file_is_named_with_its_line(lines, message, avec):
    write_lines(avec / "ratings_gold_standard" / "valence" / "dev_1.arff", *lines)
    with pytest.raises(AffectkitError, match=rf"dev_1\.arff.*{message}"):
        recola.annotations(avec, "dev_1")


def test_a_missing_value_column_is_reported(original):
    path = original / "Ratings_affective_behaviour_CCC_centred" / "valence" / "P16.csv"
    write_lines(path, "time", "0")
    with pytest.raises(
        AffectkitError, match="expected a column of times and columns of values, got time"
    ):
        recola.annotations(original, "P16")
