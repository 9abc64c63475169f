"""Many looks: one after the other, or several processes at once."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import cv2

from affectkit.checking.seeing import Look, Seen, see
from affectkit.errors import AffectkitError


def see_all(looks: Sequence[Look], workers: int, done: Callable[[int], None]) -> dict[Look, Seen]:
    """Look at each of them; `done` is called with how many are.

    Raises:
        AffectkitError: a worker process was ended from outside.
    """
    seen = {}
    for look, result in _each(looks, min(workers, len(looks))):
        seen[look] = result
        done(len(seen))
    return seen


def _each(looks: Sequence[Look], workers: int) -> Iterator[tuple[Look, Seen]]:
    if workers <= 1:
        for look in looks:
            yield look, see(look)
        return
    context = multiprocessing.get_context("spawn")  # forking is unsafe once a library has threads
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        try:
            futures = {pool.submit(see, look): look for look in looks}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise AffectkitError(
                "a worker process was ended from outside, perhaps for want of memory; "
                "run again with fewer workers"
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
