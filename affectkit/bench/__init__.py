"""Benchmarks: each speed or memory use is a ratio to a baseline measured in the same run."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from affectkit.errors import unknown

# module and function of each benchmark: they need different packages, such as captum or dlib
BENCHES = {
    "detectors": ("detectors", "bench_detectors"),
    "gpu": ("gpu", "bench_gpu"),
    "predict": ("predict", "bench_predict"),
    "prepare": ("prepare", "bench_prepare"),
    "saliency": ("saliency", "bench_saliency"),
    "train": ("train", "bench_train"),
}


def run_bench(name: str, **options: Any) -> Sequence[dict[str, Any]]:  # noqa: ANN401
    """Run a benchmark and return the rows of its table.

    Args:
        name: one of `BENCHES`.
        options: keyword arguments of its function.

    Raises:
        AffectkitError: the benchmark is unknown.
    """
    if name not in BENCHES:
        # "networks" compares scores, in `bench.networks`
        raise unknown("benchmark", name, [*BENCHES, "networks"])
    module, function = BENCHES[name]
    bench: Callable[..., list[dict[str, Any]]] = getattr(
        import_module(f"affectkit.bench.{module}"), function
    )
    return bench(**options)
