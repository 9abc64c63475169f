"""Read text files, and write files and folders atomically.

They are written under a hidden name, and renamed when complete.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectkit.errors import AffectkitError

PARTIAL = ".partial-"
StrPath = str | Path  # every public function that takes a path takes either


def remove(path: StrPath) -> None:
    """Remove a file or a folder, if it exists."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: StrPath, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a hidden path in the same folder; it is renamed to `path` if the block succeeds.

    The hidden path has the same suffix, because the format of videos depends on it. If the process
    is killed, the next write of `path` removes the partial file.

    Raises:
        AffectkitError: `path` exists and `overwrite` is False.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise AffectkitError(
            f"{path} exists already; remove it, choose another path, or overwrite it "
            "(overwrite=True, or --overwrite on the command line)"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(PARTIAL + path.name)
    remove(partial)
    try:
        yield partial
    except BaseException:
        remove(partial)
        raise
    _replace(partial, path)


def _replace(partial: Path, path: Path) -> None:
    if not path.is_dir():
        os.replace(partial, path)
        return
    # a folder cannot be replaced in one step: the old one is renamed first
    old = path.with_name(f"{PARTIAL}old-{path.name}")
    remove(old)
    path.rename(old)
    partial.rename(path)
    remove(old)


def write_text(path: StrPath, text: str) -> None:
    """Write a text file (UTF-8) atomically, replacing an older one."""
    with atomic_write(path, overwrite=True) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: StrPath, content: Any) -> None:  # noqa: ANN401
    """Write indented JSON atomically, replacing an older file."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_lines(path: StrPath) -> list[str]:
    """Read the lines of a UTF-8 text file, without byte order mark and trailing blank lines.

    Raises:
        AffectkitError: the file is missing, or is not UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AffectkitError(
            f"{path} cannot be read as text: {getattr(error, 'strerror', None) or error}"
        ) from None
