"""Copy the notebooks into a folder of the user, and open them in JupyterLab."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from affectkit.errors import AffectkitError, missing_extra
from affectkit.files import StrPath, write_text

PACKAGE = Path(__file__).parent


def notebook_sources() -> list[Path]:
    """The .py sources of the notebooks: inside the installed package, or next to it in a clone.

    Raises:
        AffectkitError: they are not installed.
    """
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        found = sorted(folder.glob("*.py"))
        if found:
            return found
    raise AffectkitError(f"no notebooks in {PACKAGE.parent}; install affectkit again")


def copy_notebooks(folder: StrPath) -> list[Path]:
    """Write all notebooks into `folder` as .ipynb; existing files are not changed.

    Raises:
        AffectkitError: jupytext is not installed.
    """
    if find_spec("jupytext") is None:
        raise missing_extra("jupytext", "notebooks")
    import jupytext

    folder, paths = Path(folder), []
    for source in notebook_sources():
        path = folder / f"{source.stem}.ipynb"
        if not path.exists():
            write_text(path, jupytext.writes(jupytext.read(source), fmt="ipynb"))
        paths.append(path)
    return paths


def open_lab(folder: StrPath) -> None:
    """Run JupyterLab in `folder` until Ctrl-C.

    Raises:
        AffectkitError: JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise missing_extra("jupyterlab", "notebooks")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={Path(folder).resolve()}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in containers; Jupyter does not start as root without it
    subprocess.run(command, check=False)
