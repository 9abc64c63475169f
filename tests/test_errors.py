import pytest

from affectkit.errors import missing_extra, unknown


def test_unknown_names_the_nearest_and_lists_all():
    error = unknown("detector", "dlip", ["face-alignment", "dlib"])
    expected = "unknown detector 'dlip': did you mean 'dlib'? known are dlib, face-alignment"
    assert str(error) == expected


def test_unknown_without_a_near_name_only_lists():
    assert (
        str(unknown("metric", "xyz", ["ccc", "mae"])) == "unknown metric 'xyz': known are ccc, mae"
    )


@pytest.mark.parametrize(("package", "extra"), [("dlib", "faces"), ("torch", "train")])
def test_missing_package_names_the_extra(package, extra):
    message = str(missing_extra(package, extra))
    assert f"'{package}'" in message
    assert f"pip install 'affectkit[{extra}]'" in message
    assert "\n" not in message
