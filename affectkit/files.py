"""Nothing half-written ever stands under its final name: write beside, then rename."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectkit.errors import AffectkitError

PARTIAL = ".partial-"


def remove(path: Path) -> None:
    """Remove a file or a folder, or nothing where there is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def beside(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a hidden path in the same folder, renamed to `path` when the block ends well.

    The suffix stays, since video containers are chosen by it. A partial file of a process that
    was killed is swept away by the next try.

    Raises:
        AffectkitError: `path` exists and `overwrite` is False.
    """
    if path.exists() and not overwrite:
        raise AffectkitError(f"{path} exists already; remove it, or ask for overwriting")
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
    # a folder cannot be replaced in one step: the old one steps aside first
    old = path.with_name(f"{PARTIAL}old-{path.name}")
    remove(old)
    path.rename(old)
    partial.rename(path)
    remove(old)


def write_text(path: Path, text: str) -> None:
    """Write `text`, replacing what was there in one step."""
    with beside(path, overwrite=True) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401
    """Write `content` as indented JSON, replacing what was there in one step."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
