"""The notebooks: copied to where one may change them, and opened in JupyterLab."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from affectkit.errors import AffectkitError, missing_extra
from affectkit.files import write_text

PACKAGE = Path(__file__).parent


def sources() -> list[Path]:
    """The notebooks' sources: in the package of a wheel, beside it in a checkout.

    Raises:
        AffectkitError: they were not installed.
    """
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        found = sorted(folder.glob("*.py"))
        if found:
            return found
    raise AffectkitError(f"no notebooks beside {PACKAGE}; install affectkit again")


def copy_notebooks(folder: Path) -> list[Path]:
    """Write every notebook into `folder` as .ipynb; one that is there already is left as it is.

    Raises:
        AffectkitError: jupytext is not installed.
    """
    if find_spec("jupytext") is None:
        raise missing_extra("jupytext", "notebooks")
    import jupytext

    paths = []
    for source in sources():
        path = folder / f"{source.stem}.ipynb"
        if not path.exists():
            write_text(path, jupytext.writes(jupytext.read(source), fmt="ipynb"))
        paths.append(path)
    return paths


def open_lab(folder: Path) -> None:
    """Run JupyterLab in `folder` until it is stopped by Ctrl-C.

    Raises:
        AffectkitError: JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise missing_extra("jupyterlab", "notebooks")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in containers; Jupyter refuses to start otherwise
    subprocess.run(command, check=False)
