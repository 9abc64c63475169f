"""Side-by-side measurements: every speed is a ratio against something named in the same run."""

from collections.abc import Callable, Sequence
from typing import Any

from affectkit.bench.predict import bench_predict
from affectkit.bench.prepare import bench_prepare
from affectkit.bench.saliency import bench_saliency
from affectkit.bench.train import bench_train
from affectkit.errors import unknown

BENCHES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "predict": bench_predict,
    "prepare": bench_prepare,
    "saliency": bench_saliency,
    "train": bench_train,
}


def run_bench(name: str) -> Sequence[dict[str, Any]]:
    """Run a benchmark; gives the rows of its table.

    Raises:
        AffectkitError: no such benchmark.
    """
    if name not in BENCHES:
        raise unknown("benchmark", name, [*BENCHES, "networks"])  # which is no table of speeds
    return BENCHES[name]()
