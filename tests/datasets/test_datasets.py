import pytest
import xarray as xr

from affectkit.datasets import DATASETS, find_loader, synthetic
from affectkit.errors import AffectkitError


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_refuses_an_empty_folder(name, tmp_path):
    with pytest.raises(AffectkitError, match=str(tmp_path)):
        find_loader(name).index(tmp_path)


@pytest.mark.filterwarnings("ignore:.*ignored 2 rows without video")  # a quirk of omg
@pytest.mark.parametrize("quirks", [False, True])
@pytest.mark.parametrize("layout", synthetic.LAYOUTS)
def test_every_layout_reads_back_exactly(layout, quirks, tmp_path):
    root = tmp_path / "data"
    synthetic.write_synthetic(
        root, layout=layout, quirks=quirks, subjects=(2, 1, 1), seconds=2, fps=8, size=64, workers=1
    )
    expected = synthetic.expected_annotations(root)
    assert set(synthetic.index(root)["recording"]) == set(expected)
    for name, annotation in expected.items():
        xr.testing.assert_identical(synthetic.annotations(root, name), annotation)


def test_unknown_dataset_lists_the_known_ones():
    with pytest.raises(
        AffectkitError, match=r"did you mean 'affwild2'\? expected one of .*, affwild2, "
    ):
        find_loader("afwild2")
