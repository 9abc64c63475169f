"""A base install without the optional packages: every command works or names the extra to install.

The optional packages are hidden from the import system of a subprocess.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from affectkit.cli.main import EXTRAS, app

HIDE = """
import sys
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: (
    None if name.partition(".")[0] in {hidden} else find_spec(name, path, target)
)
from affectkit.cli.main import main
main()
"""
# import names that differ from the name of the distribution
IMPORT_NAMES = {"dlib-bin": "dlib"}

# arguments of each command, and the extra that it needs; "" if the base install is enough
CASES = {
    "demo": (["OUT", "--no-dashboard"], "train"),
    "look": (["VIDEO", "--out", "OUT", "--no-browser"], "train"),
    "weights": ([], ""),
    "doctor": ([], ""),
    "datasets": ([], ""),
    "check": (["synthetic", "DATASET"], ""),
    "prepare": (["video", "VIDEO", "--out", "OUT"], "faces"),
    "raters": (["RATED"], ""),
    "train": (["demo", "--dry-run"], "train"),
    "tune": (["RUN"], "train"),
    "ensemble": (["OUT", "RUN", "RUN"], "train"),
    "predict": (["RUN", "RECORDINGS"], "train"),
    "evaluate": (["RUN"], ""),
    "compare": (["RUN", "RUN"], ""),
    "attribute": (["RUN", "one"], "train"),
    "submit": (["abaw", "RUN", "--sample", "SAMPLE", "--out", "OUT"], ""),
    "figure": (["traces", "RUN", "one", "--out", "OUT.pdf"], ""),
    "dashboard": (["RUN"], "dashboard"),
    "notebooks": (["OUT", "--no-browser"], "notebooks"),
    "bench": (["train"], "train"),
}


def run_without_extras(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = HIDE.format(hidden=sorted(EXTRAS))
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run with one prediction and everything else that the commands of `CASES` read."""
    import numpy as np
    import xarray as xr

    from affectkit.datasets import synthetic
    from affectkit.recording import save_recording
    from affectkit.results import prediction_path, save_result
    from affectkit.run import write_metadata
    from affectkit.video import write_video
    from tests.conftest import fake_metadata, fake_prediction, fake_recording

    folder = tmp_path_factory.mktemp("base install")
    recording = fake_recording("one", 200)
    recording["rating"] = xr.concat([recording["annotation"]] * 2, "rater")
    save_recording(recording, folder / "recordings" / "one.zarr")
    metadata = fake_metadata(
        name="run", splits={"test": ["one"]}, recordings=str(folder / "recordings")
    )
    write_metadata(folder / "run", metadata)
    save_result(fake_prediction(recording), prediction_path(folder / "run", "one"))
    synthetic.write_synthetic(folder / "dataset", subjects=(1, 1, 1), seconds=2.0, workers=1)
    sample = ["image_location,valence,arousal", *(f"one/{k:05d}.jpg,0,0" for k in range(1, 41))]
    (folder / "sample.txt").write_text("\n".join([*sample, ""]))
    grey = np.full((96, 96, 3), 90, np.uint8)
    write_video(folder / "video.mp4", ((k / 10, grey) for k in range(5)))
    return {
        "DATASET": folder / "dataset",
        "RATED": folder / "recordings",
        "RECORDINGS": folder / "recordings",
        "RUN": folder / "run",
        "SAMPLE": folder / "sample.txt",
        "VIDEO": folder / "video.mp4",
    }


@pytest.mark.parametrize("command", CASES)
def test_a_command_works_or_names_the_extra_to_install(command, files, tmp_path):
    arguments, extra = CASES[command]
    paths = files | {"OUT": tmp_path / "out", "OUT.pdf": tmp_path / "out.pdf"}
    done = run_without_extras(command, *(paths.get(each, each) for each in arguments))
    if not extra:
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 2, done.stdout + done.stderr
    message = r"error: the package '[\w-]+' is not installed; run: pip install 'affectkit\[{}\]'\n"
    assert re.fullmatch(message.format(extra), done.stderr), done.stderr


def test_every_command_is_tested():
    assert get_command(app).commands.keys() == CASES.keys()


def test_every_optional_package_has_its_extra():
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extras = pyproject["project"]["optional-dependencies"]
    packages = {
        IMPORT_NAMES.get(name, name.replace("-", "_")): extra
        for extra, requirements in extras.items()
        if extra != "all"
        for name in (re.match(r"[\w-]+", requirement).group() for requirement in requirements)
    }
    assert packages == EXTRAS


def test_help_imports_no_large_package():
    code = (
        "import sys\nfrom affectkit.cli.main import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "large = {'matplotlib', 'numpy', 'pandas', 'plotly', 'scipy', 'torch', 'xarray', 'zarr'}\n"
        "sys.exit(', '.join(large & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: " in done.stdout
