import pytest

from affectkit.datasets import DATASETS, find
from affectkit.errors import AffectkitError


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_refuses_an_empty_folder(name, tmp_path):
    with pytest.raises(AffectkitError, match=str(tmp_path)):
        find(name).index(tmp_path)


def test_unknown_dataset_lists_the_known_ones():
    with pytest.raises(AffectkitError, match=r"did you mean 'affwild2'.*affwild2, synthetic"):
        find("affwild")
