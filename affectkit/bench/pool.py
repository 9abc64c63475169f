"""Many nets trained at once: a process each, and one bar for all their epochs."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch

from affectkit.evaluation import evaluate
from affectkit.predict import predict
from affectkit.prepare.processes import end_with_parent
from affectkit.run import HISTORY, SCORES, prediction_path, read_contract
from affectkit.training.fit import fit
from affectkit.training.recipe import Recipe

Progress = Callable[[str, int, int], None]
LOOK = 1.0  # seconds from one look at how far the nets are to the next


class Job(NamedTuple):
    """A net to train, and where."""

    recipe: Recipe
    recordings: Path
    run: Path
    scored: bool  # on the test people; predicted for those of validation too


def train_all(jobs: Sequence[Job], workers: int, step: str, progress: Progress) -> None:
    """Do all jobs, as many at a time as there are workers; goes on where an earlier call ended.

    Args:
        jobs: none of which needs another.
        workers: processes; with one, everything happens in this process.
        step: what the progress is called.
        progress: called with `step`, epochs done in all jobs and epochs in all.
    """
    total = sum(job.recipe.training.epochs for job in jobs)

    def look() -> None:
        progress(step, sum(map(_epochs_done, jobs)), total)

    if workers == 1:
        for job in jobs:
            do(job)
            look()
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = get_context("spawn")  # forking is unsafe once a library has threads
    waiting, running = deque(jobs), set[Future[None]]()
    with ProcessPoolExecutor(workers, context, _begin, (threads,)) as pool:
        while waiting or running:
            while waiting and len(running) < workers:  # none ahead: Ctrl-C would start it
                running.add(pool.submit(do, waiting.popleft()))
            done, running = wait(running, LOOK, FIRST_COMPLETED)
            for each in done:
                each.result()
            look()


def _begin(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # but for training, which saves and stops
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)


def do(job: Job) -> None:
    """Train, predict and score, as far as that is not done."""
    fit(job.recipe, job.recordings, job.run)
    if not job.scored:
        return
    splits = read_contract(job.run)["splits"]
    for name in splits["validation"] + splits["test"]:
        if not prediction_path(job.run, name).exists():
            predict(job.run, job.recordings / f"{name}.zarr")
    if not (job.run / SCORES).is_file():
        evaluate(job.run, job.recordings)


def _epochs_done(job: Job) -> int:
    history = job.run / HISTORY
    return max(0, len(history.read_text().splitlines()) - 1) if history.is_file() else 0
