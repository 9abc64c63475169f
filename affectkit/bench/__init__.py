"""Benchmarks: each speed or memory use is a ratio to a baseline measured in the same run."""

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
    """Run a benchmark and return the rows of its table.

    Raises:
        AffectkitError: the benchmark is unknown.
    """
    if name not in BENCHES:
        # "networks" compares scores, in `bench.networks`
        raise unknown("benchmark", name, [*BENCHES, "networks"])
    return BENCHES[name]()
