"""Read text files, write files and folders atomically, and lock folders.

Files and folders are written under a hidden name, and renamed when they are complete. Two processes
that write the same path do it one after the other.
"""

import errno
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from affectkit.errors import AffectkitError

PARTIAL = ".partial-"  # the hidden name is PARTIAL + 8 hexadecimal digits + "-" + the final name
ID_LENGTH = 8
LOCK = ".lock"
HOLDER = ".lock-holder"  # says which process has the lock
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAX_NAME = 200  # bytes; file systems allow 255, and hidden names are longer
StrPath = str | Path  # every public function that takes a path takes either


def remove(path: StrPath) -> None:
    """Remove a file or a folder, if it exists."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_name(name: object, source: StrPath) -> str:
    """Check a name from inside a file before it becomes part of a path.

    Args:
        name: such as the name of a recording.
        source: the file that contains it, for the error.

    Returns:
        The name.

    Raises:
        AffectkitError: it is not text, or it is empty, longer than 200 bytes, hidden (begins with
            "."), begins with "(" as pooled rows of scores do, or contains a separator of paths or a
            character that cannot be printed.
    """
    valid = (
        isinstance(name, str)
        and name.isprintable()
        and name == name.strip()
        and 0 < len(name.encode(errors="replace")) <= MAX_NAME
        and name[0] not in ".("
        and not set("/\\") & set(name)
    )
    if not valid:
        raise AffectkitError(
            f"{source}: {str(name)[:60]!r} cannot be the name of a recording: expected a file name "
            "without folders that does not begin with '.' or '('; rename it"
        )
    return str(name)


@contextmanager
def atomic_write(path: StrPath, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a hidden path in the same folder; it is renamed to `path` if the block succeeds.

    The hidden path has the same suffix, because the format of videos depends on it. If another
    process is writing `path`, this waits for it. If the process is killed, the next write of `path`
    removes the partial file.

    Args:
        path: a file. A folder at this path is never replaced.
        overwrite: replace an existing file.

    Raises:
        AffectkitError: there is a folder at `path`, or `path` exists and `overwrite` is False.
    """

    def check(target: Path) -> None:
        if target.is_dir():
            raise AffectkitError(f"{target} is a folder, expected a file: choose another path")
        if target.exists() and not overwrite:
            raise _exists(target)

    with _write(Path(path), check) as partial:
        yield partial


@contextmanager
def atomic_folder(
    path: StrPath, *, replaceable: Callable[[Path], bool] | None = None
) -> Iterator[Path]:
    """Yield a hidden path for a new folder; it is renamed to `path` if the block succeeds.

    Args:
        path: a folder.
        replaceable: whether affectkit wrote the folder that is at `path`; only then it is replaced.
            By default an existing folder is an error.

    Raises:
        AffectkitError: `path` exists and may not be replaced.
    """

    def check(target: Path) -> None:
        if replaceable is not None:
            check_replaceable(target, replaceable)
        elif os.path.lexists(target):
            raise _exists(target)

    with _write(Path(path), check) as partial:
        yield partial


def check_replaceable(path: Path, replaceable: Callable[[Path], bool]) -> None:
    """Check that there is nothing at `path`, or a folder that affectkit wrote.

    Raises:
        AffectkitError: there is something else.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir() or not replaceable(path):
        raise AffectkitError(
            f"{path} exists and was not written by affectkit, so it is not replaced; remove it or "
            "choose another output folder"
        )


def _exists(path: Path) -> AffectkitError:
    return AffectkitError(
        f"{path} exists already; remove it, choose another path, or overwrite it "
        "(overwrite=True, or --overwrite on the command line)"
    )


@contextmanager
def _write(path: Path, check: Callable[[Path], None]) -> Iterator[Path]:
    check(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(path.with_name(f".{path.name}{LOCK}")):
        check(path)
        remove_partial(path)
        partial = _hidden(path)
        try:
            yield partial
            check(path)
        except BaseException as error:
            remove(partial)
            if isinstance(error, OSError) and error.errno in FULL_DISK:
                raise AffectkitError(
                    f"{path} could not be written ({error.strerror}); what was there before is "
                    "unchanged; free some space or choose another folder"
                ) from error
            raise
        if path.is_dir():  # a folder cannot be replaced in one step: the old one is renamed first
            old = _hidden(path)
            path.rename(old)
            partial.rename(path)
            remove(old)
        else:
            os.replace(partial, path)


@contextmanager
def file_lock(path: Path, timeout: float = -1) -> Iterator[None]:
    """Hold a lock that ends with the process, and remove its file at the end.

    Args:
        path: the lock file.
        timeout: seconds to wait for another holder; -1 waits without a limit.

    Raises:
        Timeout: of filelock.
    """
    with FileLock(path, timeout=timeout):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # filelock lets those who wait for it try again


def _hidden(path: Path) -> Path:
    return path.with_name(f"{PARTIAL}{uuid4().hex[:ID_LENGTH]}-{path.name}")


def remove_partial(path: StrPath) -> None:
    """Remove what a killed process has left of `path`. No other process may be writing it."""
    path = Path(path)
    length = len(_hidden(path).name)
    for each in path.parent.glob(f"{PARTIAL}*"):
        if len(each.name) == length and each.name.endswith(f"-{path.name}"):
            remove(each)


@contextmanager
def lock(folder: StrPath, doing: str) -> Iterator[None]:
    """Lock an output folder for this process; create it if needed.

    The outermost function that writes to the folder takes the lock, and not the functions it calls.
    What killed processes have left under hidden names is removed. The lock ends with the process.

    Args:
        folder: such as a run. If it was created here and is empty at the end, it is removed.
        doing: what this process does, for the error of another process.

    Raises:
        AffectkitError: another process has the lock.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise AffectkitError(f"{folder} is a file, expected a folder: choose another path")
    created = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / HOLDER
    try:
        with file_lock(folder / LOCK, timeout=0):
            me = {"process": os.getpid(), "host": socket.gethostname(), "doing": doing}
            holder.write_text(json.dumps(me), encoding="utf-8")
            try:
                for depth in ("", "*/", "*/*/"):
                    for each in folder.glob(f"{depth}{PARTIAL}*"):
                        remove(each)
                yield
            finally:
                holder.unlink(missing_ok=True)
    except Timeout:
        raise AffectkitError(
            f"{folder} is in use by {_describe_holder(holder)}; wait until it has ended, or use "
            "another folder"
        ) from None
    finally:
        if created:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _describe_holder(holder: Path) -> str:
    try:
        content = read_json(holder, "the holder of a lock")
    except AffectkitError:
        return "another process"
    process, host, doing = (content.get(key, "?") for key in ("process", "host", "doing"))
    return f"process {process} on {host} ({doing})"


def write_text(path: StrPath, text: str) -> None:
    """Write a text file (UTF-8) atomically, replacing an older one."""
    with atomic_write(path, overwrite=True) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: StrPath, content: Any) -> None:  # noqa: ANN401
    """Write indented JSON atomically, replacing an older file."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_text(path: StrPath) -> str:
    """Read a UTF-8 text file, without byte order mark.

    Raises:
        AffectkitError: the file is missing, or is not UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AffectkitError(
            f"{path} cannot be read as text: {getattr(error, 'strerror', None) or error}"
        ) from None


def read_lines(path: StrPath) -> list[str]:
    """Read the lines of a UTF-8 text file, without byte order mark and trailing blank lines.

    Raises:
        AffectkitError: the file is missing, or is not UTF-8 text.
    """
    return read_text(path).rstrip().splitlines()


def read_json(path: StrPath, kind: str) -> dict[str, Any]:
    """Read a JSON file that contains an object.

    Args:
        path: the file.
        kind: what it contains, for the error.

    Raises:
        AffectkitError: the file is missing, is not JSON, or contains no object.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise AffectkitError(f"{path} is not valid JSON ({reason}), expected {kind}") from None
    if not isinstance(content, dict):
        raise AffectkitError(f"{path} is not {kind}: expected a JSON object")
    return content
