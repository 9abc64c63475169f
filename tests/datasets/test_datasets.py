import pytest
import xarray as xr

from affectkit.datasets import DATASETS, find, synthetic
from affectkit.errors import AffectkitError


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_refuses_an_empty_folder(name, tmp_path):
    with pytest.raises(AffectkitError, match=str(tmp_path)):
        find(name).index(tmp_path)


@pytest.mark.filterwarnings("ignore:.*left out 2 rows without video")  # a trap of omg
@pytest.mark.parametrize("traps", [False, True])
@pytest.mark.parametrize("layout", synthetic.LAYOUTS)
def test_every_layout_reads_back_exactly(layout, traps, tmp_path):
    root = tmp_path / "drawn"
    synthetic.write(root, layout=layout, traps=traps, people=(2, 1, 1), seconds=2, fps=8, size=64,
                    workers=1)  # fmt: skip
    written = synthetic.written(root)
    assert set(synthetic.index(root)["recording"]) == set(written)
    for name, known in written.items():
        xr.testing.assert_identical(synthetic.annotations(root, name), known)


def test_unknown_dataset_lists_the_known_ones():
    with pytest.raises(AffectkitError, match=r"did you mean 'affwild2'\? known are .*, affwild2, "):
        find("afwild2")
