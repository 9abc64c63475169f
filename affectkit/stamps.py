"""Stored predictions and attributions: which are up to date, so that they are not computed again.

A stored result has a stamp in its attributes: a hash of all that it was computed from. A call that
would compute a result with the same stamp keeps it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.run import ENSEMBLE, RECIPE, WEIGHTS, read_metadata

STAMP = "stamp"  # attribute of a stored result
OnKept = Callable[[str], None]


class Output(NamedTuple):
    """Where the results of a call are stored, and what they are computed from."""

    run: Path
    computation: Mapping[str, Any]  # all but the recording: weights, settings, precision, method
    overwrite: bool  # also replace results that are up to date

    def find(
        self, recording: xr.Dataset, open_result: Callable[[], xr.Dataset]
    ) -> tuple[str, xr.Dataset | None]:
        """The stamp of the result of a recording; and the stored result if it is up to date."""
        stamp = result_stamp(recording, self.computation)
        if self.overwrite:
            return stamp, None
        try:
            result = open_result()
        except AffectkitError:  # there is none, or it is damaged
            return stamp, None
        return stamp, result if result.attrs.get(STAMP) == stamp else None


def ignore_kept(name: str) -> None:
    """Do nothing with the name of a recording whose result is kept."""


def hash_run(run: StrPath) -> str:
    """A hash of the recipe and the weights of a run; of an ensemble, of all its members.

    Raises:
        AffectkitError: it is not a run.
    """
    run = Path(run)
    metadata = read_metadata(run)
    digest = hashlib.sha256(json.dumps(metadata.get("predict"), sort_keys=True).encode())
    for member in metadata.get(ENSEMBLE) or ():
        digest.update(hash_run(member).encode())
    if not metadata.get(ENSEMBLE):
        for path in filter(Path.is_file, (run / RECIPE, run / WEIGHTS)):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def result_stamp(recording: xr.Dataset, computation: Mapping[str, Any]) -> str:
    """The stamp of the result of a recording. Its pixels are known by the files they are in."""
    digest = hashlib.sha256(version("affectkit").encode())
    digest.update(json.dumps(computation, sort_keys=True).encode())
    digest.update(json.dumps(recording.attrs, sort_keys=True, default=str).encode())
    for name in ("frame", "time", "crop_box", "landmark"):
        digest.update(recording[name].values.tobytes())
    source = recording.encoding.get("source", "")
    digest.update(str(Path(source).absolute()).encode())
    if not source:
        digest.update(recording["face"].values.tobytes())
    for path in sorted(Path(source, "face").iterdir()) if source else ():
        found = path.stat()
        digest.update(f"{path.name} {found.st_size} {found.st_mtime_ns}".encode())
    return digest.hexdigest()
