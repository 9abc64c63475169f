"""Writes a synthetic dataset in the layout of Aff-Wild2, with the single ratings beside it."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from affectkit.datasets.affwild2 import HEADER, NOT_ANNOTATED
from affectkit.datasets.synthetic.drawing import draw
from affectkit.datasets.synthetic.movement import MOVEMENT, RATERS
from affectkit.datasets.synthetic.plan import PLAN, Plan, Scene, make_scene, plan_content, read_plan
from affectkit.errors import AffectkitError
from affectkit.files import beside, write_json, write_text
from affectkit.recording import AFFECT
from affectkit.video import write_video

SENSOR_NOISE = 3.0  # grey levels
NOISE_PICTURES = 8

Progress = Callable[[int, int], None]


def write(
    root: Path,
    *,
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

    Annotations, ratings and the pixels that go to the encoder depend on neither `workers` nor
    interruptions. The encoder may differ in a few bytes from run to run where `size` is not a
    multiple of 128.

    Args:
        root: a new folder, or one that an earlier call with the same numbers began.
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
    plan = Plan((people[0], people[1], people[2]), float(seconds), float(fps), size, seed, missing)
    _check(plan, workers)
    _claim(root, plan)
    numbers = range(len(plan.names))
    task = partial(_write_person, root, plan)
    for done, _ in enumerate(_each(task, numbers, workers), start=1):
        if progress:
            progress(done, len(numbers))
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


def _write_person(root: Path, plan: Plan, number: int) -> None:
    name = plan.names[number]
    video = root / "batch1" / f"{name}.mp4"
    annotation = root / "VA_Estimation_Challenge" / plan.split_folder(number) / f"{name}.txt"
    rating = root / "ratings" / f"{name}.csv"
    scene = make_scene(plan, number)
    if not rating.is_file():
        with beside(rating) as partial_path:
            rating_table(scene).to_csv(partial_path, index=False, float_format="%.4f")
    if not annotation.is_file():
        write_text(annotation, annotation_text(scene))
    if not video.is_file():
        write_video(video, film(scene, plan.fps), fps=plan.fps)


def rating_table(scene: Scene) -> pd.DataFrame:
    """Every rater's trace in long form: frame, rater, valence, arousal."""
    traces = [
        pd.DataFrame(trace, columns=list(AFFECT)).assign(frame=range(len(trace)), rater=rater)
        for rater, trace in zip(RATERS, scene.rating, strict=True)
    ]
    return pd.concat(traces)[["frame", "rater", *AFFECT]]


def annotation_text(scene: Scene) -> str:
    """The mean of the raters as Aff-Wild2 writes it, a line a frame."""
    annotation = scene.rating.mean(axis=0)
    annotation[~scene.annotated] = NOT_ANNOTATED
    lines = [f"{valence:.4f},{arousal:.4f}" for valence, arousal in annotation]
    return "\n".join([HEADER, *lines, ""])


def film(scene: Scene, fps: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """The frames as a camera sees them: time in seconds and rgb (row, col, channel)."""
    noise = _draw_noise(scene.noise, scene.person.size)
    order = scene.noise.integers(len(noise), size=len(scene.movement))
    for frame, values in enumerate(scene.movement):
        picture = draw(scene.person, dict(zip(MOVEMENT, values, strict=True)))
        yield frame / fps, np.asarray(cv2.add(picture, noise[order[frame]], dtype=cv2.CV_8U))


def _draw_noise(rng: Generator, size: int) -> NDArray[np.int16]:
    noise = rng.normal(0, SENSOR_NOISE, (NOISE_PICTURES, size, size, 3))
    return np.clip(noise, -4 * SENSOR_NOISE, 4 * SENSOR_NOISE).astype(np.int16)
