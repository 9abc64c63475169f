import pytest

from affectkit.errors import missing_extra, unknown


def test_unknown_suggests_the_most_similar_name_and_lists_all():
    error = unknown("detector", "dlip", ["face-alignment", "dlib"])
    expected = "unknown detector 'dlip': did you mean 'dlib'? expected one of dlib, face-alignment"
    assert str(error) == expected


def test_unknown_lists_at_most_30_names():
    error = str(unknown("recording", "xyz", [f"clip_{number:02d}" for number in range(40)]))
    assert "clip_29 and 10 more" in error
    assert "clip_30" not in error


def test_unknown_without_a_similar_name_lists_all():
    assert (
        str(unknown("metric", "xyz", ["ccc", "mae"]))
        == "unknown metric 'xyz': expected one of ccc, mae"
    )


@pytest.mark.parametrize(("package", "extra"), [("dlib", "faces"), ("torch", "train")])
def test_missing_package_names_the_extra(package, extra):
    message = str(missing_extra(package, extra))
    assert f"'{package}'" in message
    assert f"pip install 'affectkit[{extra}]'" in message
    assert "\n" not in message
