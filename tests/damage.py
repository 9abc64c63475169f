"""Damage every file of a run and of a recording in ten ways, and run all commands on each.

    python -m tests.damage [--cases N] [--seed N]

Every command must end with exit status 0, 1 or 2 and without a traceback, and change nothing but
its own output. Prints a line for each command that does not, and a count. Exit status 1 if any.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from affectkit.cli.main import main
from affectkit.recording import save_recording
from affectkit.training.fit import fit
from affectkit.training.recipe import read_recipe
from tests.conftest import fake_recording

SPLITS = {"train": 2, "validation": 1, "test": 1}
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
# what each command may change, as the first parts of paths below the working folder
COMMANDS = {
    "predict run recordings": ("run/predictions",),
    "evaluate run": ("run/scores.csv", "run/card.md"),
    "compare run other": (),
    "attribute run recordings": ("run/attributions",),
    "tune run": ("run/run.json",),
    "ensemble mean run other": ("mean",),
    "figure traces run test0 --out traces.pdf": ("traces",),
    "figure film-strip run test0 --out strip.pdf": ("strip",),
    "figure density recordings --out density.pdf": ("density",),
    "raters recordings": (),
    "submit abaw2020 run --sample sample --out submission": ("submission",),
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


def build(folder: Path) -> None:
    """Write recordings, a trained run with all results, and a second run."""
    os.chdir(folder)
    for split, count in SPLITS.items():
        for number in range(count):
            recording = fake_recording(f"{split}{number}", 30, seed=number, split=split)
            save_recording(recording, f"recordings/{split}{number}.zarr")
    small = {"backbone": "test_resnet", "temporal": "gru", "fc": [4], "hidden": 4}
    windows = {"length": 10, "batch": 2, "input_size": 32}
    recipe = read_recipe("quick", model=small, windows=windows, training={"epochs": 1})
    fit(recipe, "recordings", "run")
    shutil.copyfile("run/recipe.toml", "quick.toml")
    Path("sample").mkdir()
    Path("sample/test0.txt").write_text("valence,arousal\n" + "0,0\n" * 30)
    Path("notes.txt").write_text("of the user")
    Path("run/notes.txt").write_text("of the user")
    for command in ("predict run recordings", "attribute run recordings"):
        if call(command, Path("log")):
            raise RuntimeError(Path("log").read_text())
    shutil.copytree("run", "other")
    call("evaluate run", Path("log"))
    Path("log").unlink()


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
    """Every file of the run, and of one recording of each split, with every damage."""
    files = [each for each in (folder / "run").rglob("*") if each.is_file()]
    files += [each for each in (folder / "recordings").rglob("*") if each.is_file()]
    names = sorted(str(each.relative_to(folder)) for each in files if each.name != "notes.txt")
    return [(name, damage) for name in names for damage in DAMAGES]


def faults(case: tuple[str, str], original: Path, seed: int) -> Iterator[str]:
    """Damage one file, run all commands, and describe what went wrong."""
    name, damage = case
    for command, outputs in COMMANDS.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder, log = Path(temporary, "work"), Path(temporary, "log")
            shutil.copytree(original, folder)
            DAMAGES[damage](folder / name, random.Random(f"{seed} {name}"))
            os.chdir(folder)
            before = snapshot(folder)
            status, text = call(command, log), log.read_text(errors="replace")
            after = snapshot(folder)
            os.chdir(original)
        changed = {each for each in before | after if before.get(each) != after.get(each)}
        foreign = sorted(each for each in changed if not each.startswith(outputs or ("\0",)))
        problem = ""
        if status not in (0, 1, 2) or "Traceback" in text:
            problem = f"exit status {status}: {text.strip().splitlines()[-1:]}"
        elif foreign:
            problem = f"changed {', '.join(foreign[:3])}"
        if problem:
            yield f"{name} ({damage}): affectkit {command}: {problem}"


def run_campaign(count: int, seed: int) -> list[str]:
    """Try `count` cases, chosen at random; all if there are fewer. Returns what went wrong."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        original = Path(temporary).resolve()
        child = os.fork()  # torch starts no threads in the process that forks again
        if not child:
            try:
                build(original)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise RuntimeError("the run could not be built")
        cases = all_cases(original)
        for case in random.Random(seed).sample(cases, min(count, len(cases))):
            for fault in faults(case, original, seed):
                print(fault, flush=True)
                found.append(fault)
        os.chdir("/")
    print(f"{min(count, len(cases))} of {len(cases)} cases, {len(COMMANDS)} commands each, "
          f"seed {seed}: {len(found)} faults")  # fmt: skip
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10**9, help="number of cases; default all")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sys.exit(bool(run_campaign(arguments.cases, arguments.seed)))
