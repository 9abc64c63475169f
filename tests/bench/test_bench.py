import pytest

from affectkit.bench import run_bench
from affectkit.bench.timing import ratios
from affectkit.errors import AffectkitError


def test_ratios_are_against_the_named_reference():
    rows = ratios({"fast": 0.5, "slow": 2.0}, "fast")
    assert [row["times 'fast'"] for row in rows] == ["1.00", "4.00"]


def test_an_unknown_benchmark_lists_the_known():
    with pytest.raises(AffectkitError, match="known are saliency, train"):
        run_bench("speed")
