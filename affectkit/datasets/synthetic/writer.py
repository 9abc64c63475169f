"""Write a synthetic dataset in one of the published layouts."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

from affectkit.datasets.synthetic.layouts import LAYOUTS
from affectkit.datasets.synthetic.scene import (
    SETTINGS_FILE,
    Settings,
    read_settings,
    settings_content,
)
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath, write_json
from affectkit.parallel import Progress, map_tasks, no_progress


def write_synthetic(
    root: StrPath,
    *,
    layout: str = "affwild2",
    quirks: bool = False,
    subjects: tuple[int, int, int] = (32, 8, 8),
    seconds: float = 20.0,
    fps: float = 15,
    size: int = 256,
    seed: int = 0,
    missing: float = 0.01,
    workers: int = 1,
    scheduler: str = "",
    progress: Progress = no_progress,
) -> Path:
    """Write a synthetic dataset into `root`, or resume one that was interrupted.

    The annotations, ratings and videos do not depend on `workers` or on interruptions. On another
    machine, the video encoder may produce slightly different bytes.

    Args:
        root: a new folder, or one from an earlier call with the same settings.
        layout: one of `LAYOUTS`.
        quirks: also write the irregularities that copies of the real dataset have.
        subjects: the number of subjects for training, validation and test; one video each.
        seconds: the length of each video.
        fps: frames per second.
        size: width and height of the square picture in pixels.
        seed: another seed gives other subjects.
        missing: the fraction of frames marked as not annotated, in short stretches.
        workers: the number of local worker processes.
        scheduler: address of an existing Dask cluster to use instead; its workers need access to
            `root` under the same path.
        progress: called with "subjects", the number of written subjects and the number of all.

    Returns:
        `root`.

    Raises:
        AffectkitError: `root` contains other files, or an argument is invalid.
    """
    root = Path(root)
    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    counts = (subjects[0], subjects[1], subjects[2])
    settings = Settings(counts, float(seconds), float(fps), size, seed, missing, layout, quirks)
    _check(settings, workers)
    _prepare_folder(root, settings)
    numbers = range(len(settings.names))
    write_subject = partial(_write_subject, root=root, settings=settings)
    results = map_tasks(write_subject, numbers, workers=workers, scheduler=scheduler, output=root)
    for done, _ in enumerate(results, start=1):
        progress("subjects", done, len(numbers))
    LAYOUTS[layout].finish(root, settings)
    return root


def _write_subject(number: int, progress: Progress, *, root: Path, settings: Settings) -> None:
    LAYOUTS[settings.layout].write(root, settings, number)


def _check(settings: Settings, workers: int) -> None:
    wrong = {
        "subjects must be three numbers, none negative and not all 0": min(settings.subjects) < 0
        or not sum(settings.subjects),
        "seconds times fps must be at least one frame": settings.fps <= 0 or settings.frames < 1,
        "size must be even and at least 32": settings.size < 32 or settings.size % 2 != 0,
        "seed must not be negative": settings.seed < 0,
        "missing must be in [0, 1]": not 0 <= settings.missing <= 1,
        "workers must be at least 1": workers < 1,
    }
    if any(wrong.values()):
        reasons = "; ".join(reason for reason, is_wrong in wrong.items() if is_wrong)
        raise AffectkitError(f"invalid settings of a synthetic dataset: {reasons}")


def _prepare_folder(root: Path, settings: Settings) -> None:
    if (root / SETTINGS_FILE).is_file():
        if (existing := read_settings(root)) != settings:
            raise AffectkitError(
                f"{root} contains another synthetic dataset ({_differences(existing, settings)}); "
                "choose another folder, or delete that one"
            )
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise AffectkitError(
            f"{root} is not an empty folder; expected a new or empty folder for a synthetic dataset"
        )
    write_json(root / SETTINGS_FILE, settings_content(settings))


def _differences(existing: Settings, requested: Settings) -> str:
    old, new = asdict(existing), asdict(requested)
    return ", ".join(
        f"{name} {old[name]}, requested {new[name]}" for name in old if old[name] != new[name]
    )
