"""Damage every file of a run and of two recordings in ten ways, and run all commands on each.

    python -m tests.damage [--cases N] [--seed N] [--workers N]

Every command must end with exit status 0, 1 or 2 and without a traceback, and change nothing but
its own output. Prints a line for each command that does not, and a count. Exit status 1 if any.
"""

import argparse
import importlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from affectkit.cli.main import main
from affectkit.recording import save_recording
from affectkit.training.fit import fit
from affectkit.training.recipe import read_recipe
from tests.conftest import fake_recording

SLOW_IMPORTS = (
    *("affectkit.attribution", "affectkit.evaluation", "affectkit.inference", "affectkit.paper"),
    *("captum.attr", "dask.array", "fontTools.subset", "matplotlib.backends.backend_pdf"),
    *("affectkit.submission", "matplotlib.pyplot", "scipy.signal"),
)
SPLITS = ("train", "validation", "test")
DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "removed": lambda path, rng: path.unlink(),
    "empty": lambda path, rng: _write(path, b""),
    "cut in half": lambda path, rng: _write(path, path.read_bytes()[: path.stat().st_size // 2]),
    "longer": lambda path, rng: _write(path, path.read_bytes() + b"\n,,{]"),
    "changed bytes": lambda path, rng: _write(path, _change_bytes(path.read_bytes(), rng)),
    "text": lambda path, rng: _write(path, b"This is not the file that was here."),
    "zeros": lambda path, rng: _write(path, bytes(path.stat().st_size)),
    "not UTF-8": lambda path, rng: _write(path, b"\xff\xfe\xfa" + path.read_bytes()),
    "nested": lambda path, rng: _write(path, b"a = " * (path.suffix == ".toml") + b"[" * 100_000),
    "a folder": lambda path, rng: _replace_by_folder(path),
}
# all run on one copy of the files, in this order; what each may change, as the first part of paths
COMMANDS = {
    "raters recordings": (),
    "compare run other": (),
    "ensemble mean run other": ("mean",),
    "figure traces run test --out traces.pdf": ("traces",),
    "figure film-strip run test --out strip.pdf": ("strip",),
    "figure density recordings --out density.pdf": ("density",),
    "submit abaw2020 run --sample sample --out submission": ("submission",),
    "train quick.toml --recordings recordings --run new": ("new",),
    "evaluate run": ("run/scores.csv", "run/card.md"),
    "attribute run recordings": ("run/attributions",),
    "predict run recordings": ("run/predictions",),
    "tune run": ("run/run.json",),
    "train quick.toml --recordings recordings --run run": ("run",),
}


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _change_bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(min(4, len(changed))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def build() -> None:
    """Write recordings, a trained run with all results, and a second run to the current folder."""
    for seed, split in enumerate(SPLITS):
        recording = fake_recording(split, 30, seed=seed, split=split)
        ratings = np.stack([recording["annotation"], recording["annotation"] * 0.9])
        recording["rating"] = (("rater", "frame", "affect"), ratings.astype(np.float32))
        save_recording(recording, f"recordings/{split}.zarr")
    small = {"backbone": "test_resnet", "temporal": "gru", "fc": [4], "hidden": 4}
    windows = {"length": 10, "batch": 2, "input_size": 32}
    recipe = read_recipe("quick", model=small, windows=windows, training={"epochs": 1})
    fit(recipe, "recordings", "run")
    shutil.copyfile("run/recipe.toml", "quick.toml")
    Path("sample").mkdir()
    Path("sample/test.txt").write_text("valence,arousal\n" + "0,0\n" * 30)
    Path("notes.txt").write_text("of the user")
    Path("run/notes.txt").write_text("of the user")
    for command in ("predict run recordings", "attribute run recordings"):
        call_or_raise(command)
    shutil.copytree("run", "other")
    call_or_raise("evaluate run")


def call_or_raise(command: str) -> None:
    log = Path("log")
    if call(command, log):
        raise RuntimeError(f"affectkit {command}: {log.read_text()}")
    log.unlink()


def call(command: str, log: Path) -> int:
    """Run a command in a child process; returns its exit status, or -N for the signal N."""
    child = os.fork()
    if not child:
        try:
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.argv = ["affectkit", *command.split()]
            main()
        except SystemExit as error:
            sys.stdout.flush()
            os._exit(int(error.code or 0))
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file, by path."""
    files = ((each, each.lstat()) for each in folder.rglob("*") if not each.is_dir())
    return {str(path.relative_to(folder)): (s.st_size, s.st_mtime_ns) for path, s in files}


def all_cases(folder: Path) -> list[tuple[str, str]]:
    """Every file of the run and of the recordings used to train and to test, with every damage.

    Of the results in the run, those of the test recording.
    """
    stores = ["recordings/train.zarr", "recordings/test.zarr", "run/predictions/test.zarr"]
    stores += [
        str(each.relative_to(folder)) for each in folder.glob("run/attributions/*/test.zarr")
    ]
    files = [each for each in (folder / "run").iterdir() if each.name != "notes.txt"]
    files += [each for store in stores for each in (folder / store).rglob("*")]
    names = sorted(str(each.relative_to(folder)) for each in files if each.is_file())
    return [(name, damage) for name in names for damage in DAMAGES]


def faults(case: tuple[str, str], seed: int) -> Iterator[str]:
    """Damage one file, run all commands, and describe what went wrong."""
    name, damage = case
    shutil.rmtree("work")
    shutil.copytree("original", "work")  # paths stored in the files are those of `work`
    os.chdir("work")
    DAMAGES[damage](Path(name), random.Random(f"{seed} {name}"))
    for command, outputs in COMMANDS.items():
        before = snapshot(Path.cwd())
        status = call(command, Path("../log"))
        after = snapshot(Path.cwd())
        text = Path("../log").read_text(errors="replace")
        changed = {each for each in before | after if before.get(each) != after.get(each)}
        foreign = sorted(each for each in changed if not each.startswith(outputs or ("\0",)))
        problem = ""
        if status not in (0, 1, 2) or "Traceback" in text:
            problem = f"exit status {status}: {text.strip().splitlines()[-1:]}"
        elif foreign:
            problem = f"changed {', '.join(foreign[:3])}"
        if problem:
            yield f"{name} ({damage}): affectkit {command}: {problem}"
    os.chdir("..")


def run_part(part: int, parts: int, count: int, seed: int) -> tuple[int, int, list[str]]:
    """Try every `parts`-th case: how many it tried, how many there are, what went wrong."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)
        Path("work").mkdir()
        child = os.fork()  # torch starts no threads in the process that forks again
        if not child:
            try:
                os.chdir("work")
                build()
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise RuntimeError("the run could not be built")
        shutil.copytree("work", "original")
        os.chdir("work")
        for command in COMMANDS:
            call_or_raise(command)  # each succeeds on files without damage
        os.chdir("..")
        for module in SLOW_IMPORTS:
            importlib.import_module(module)  # once, not in each command
        cases = all_cases(Path("original").resolve())
        chosen = random.Random(seed).sample(cases, min(count, len(cases)))
        for case in chosen[part::parts]:
            for fault in faults(case, seed):
                print(fault, flush=True)
                found.append(fault)
        os.chdir("/")
    return len(chosen[part::parts]), len(cases), found


def run_campaign(count: int, seed: int, workers: int) -> list[str]:
    """Try `count` cases, chosen at random; all if there are fewer. Returns what went wrong."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        parts = [pool.submit(run_part, part, workers, count, seed) for part in range(workers)]
        done = [part.result() for part in parts]
    found = [fault for *_, faults in done for fault in faults]
    print(f"{sum(tried for tried, *_ in done)} of {done[0][1]} cases, {len(COMMANDS)} commands "
          f"each, seed {seed}: {len(found)} faults")  # fmt: skip
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10**9, help="number of cases; default all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(bool(run_campaign(arguments.cases, arguments.seed, arguments.workers)))
