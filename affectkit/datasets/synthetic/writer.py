"""Writes a synthetic dataset: claims the folder, then draws each person in its layout."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import cv2

from affectkit.datasets.synthetic.layouts import LAYOUTS
from affectkit.datasets.synthetic.plan import PLAN, Plan, plan_content, read_plan
from affectkit.errors import AffectkitError, unknown
from affectkit.files import write_json

Progress = Callable[[int, int], None]


def write(
    root: Path,
    *,
    layout: str = "affwild2",
    traps: bool = False,
    people: tuple[int, int, int] = (32, 8, 8),
    seconds: float = 20.0,
    fps: float = 15,
    size: int = 256,
    seed: int = 0,
    missing: float = 0.01,
    workers: int = 2,
    progress: Progress | None = None,
) -> Path:
    """Write the dataset into `root`, or what is missing of it.

    Annotations, ratings and videos depend on neither `workers` nor interruptions; on another
    machine the encoder may differ in a few bytes.

    Args:
        root: a new folder, or one that an earlier call with the same numbers began.
        layout: one of `LAYOUTS`.
        traps: with the oddities that copies of the real dataset have been seen with.
        people: how many for training, validation and test; one video each.
        seconds: length of each video.
        fps: frames a second.
        size: edge of the square picture in pixels.
        seed: another seed, other people.
        missing: share of frames that are marked as not annotated, in short stretches.
        workers: processes that draw.
        progress: called with the number of people done and of all people.

    Returns:
        `root`.

    Raises:
        AffectkitError: `root` holds something else, or a number makes no sense.
    """
    root = Path(root)
    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    counts = (people[0], people[1], people[2])
    plan = Plan(counts, float(seconds), float(fps), size, seed, missing, layout, traps)
    _check(plan, workers)
    _claim(root, plan)
    numbers = range(len(plan.names))
    task = partial(LAYOUTS[layout].write, root, plan)
    for done, _ in enumerate(_each(task, numbers, workers), start=1):
        if progress:
            progress(done, len(numbers))
    LAYOUTS[layout].finish(root, plan)
    return root


def _check(plan: Plan, workers: int) -> None:
    faults = {
        "people should be three numbers from 0 on, not all 0": min(plan.people) < 0
        or not sum(plan.people),
        "seconds times fps should make at least one frame": plan.fps <= 0 or plan.frames < 1,
        "size should be even and at least 32": plan.size < 32 or plan.size % 2 != 0,
        "seed should not be negative": plan.seed < 0,
        "missing should lie in [0, 1]": not 0 <= plan.missing <= 1,
        "workers should be at least 1": workers < 1,
    }
    wrong = [fault for fault, is_true in faults.items() if is_true]
    if wrong:
        raise AffectkitError(f"a synthetic dataset cannot be drawn: {'; '.join(wrong)}")


def _claim(root: Path, plan: Plan) -> None:
    if (root / PLAN).is_file():
        if (standing := read_plan(root)) != plan:
            raise AffectkitError(
                f"{root} holds another synthetic dataset ({_differences(standing, plan)}); "
                "choose another folder, or remove that one"
            )
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise AffectkitError(f"{root} is not an empty folder; choose another one")
    write_json(root / PLAN, plan_content(plan))


def _differences(standing: Plan, asked: Plan) -> str:
    old, new = plan_content(standing), plan_content(asked)
    return ", ".join(
        f"{key} {old[key]}, asked for {new[key]}" for key in old if old[key] != new[key]
    )


def _each(task: Callable[[int], None], numbers: range, workers: int) -> Iterator[None]:
    if workers == 1:
        yield from map(task, numbers)
        return
    # forked copies of a process that has threads can hang; new ones cannot
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        try:
            for future in as_completed([pool.submit(task, number) for number in numbers]):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
