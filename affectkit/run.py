"""The output folder of a run: its files, metadata, history and scores."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, atomic_write, check_name, read_json, write_json
from affectkit.recording import AFFECT

SCHEMA = 2
RECIPE = "recipe.toml"
WEIGHTS = "model.safetensors"
CHECKPOINT = "last.ckpt"
METADATA = "run.json"
HISTORY = "history.csv"
SCORES = "scores.csv"
CARD = "card.md"
PUBLISHED_RUN = "published"  # metadata key of a published model: its name in `published.MODELS`
ENSEMBLE = "ensemble"  # metadata key of an ensemble: the folders of its member runs
MAX_FAULTS = 5  # listed in an error
SYNTHETIC_ONLY = "trained on synthetic data only: it says nothing about real people"


def _affect(value: list[str]) -> list[str]:
    if tuple(value) != AFFECT:
        raise ValueError(f"expected {list(AFFECT)}")
    return value


def _name(value: str) -> str:
    try:
        return check_name(value, METADATA)
    except AffectkitError as error:
        raise ValueError(str(error)) from None


RecordingName = Annotated[str, AfterValidator(_name)]
Setting = bool | int | float | str | None


class Metadata(BaseModel):
    """The content of run.json. Keys that this version does not know are kept."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

    schema_: int = Field(alias="schema")
    name: str
    affect: Annotated[list[str], AfterValidator(_affect)]
    crop: dict[str, Setting]  # crop settings of the recordings
    recordings: str  # their folder
    splits: dict[str, list[RecordingName]]
    datasets: list[str]
    input_size: PositiveInt | str  # pixels; text only for an ensemble: the values of all members
    sequence_length: PositiveInt | str = 0  # frames
    backbone: str = ""
    temporal: str = ""
    loss: str = ""
    seed: int | str = 0
    fingerprint: str = ""  # of the recordings
    subjects: dict[str, int] = {}  # number by split
    predict: dict[str, Setting] = {}  # prediction settings
    versions: dict[str, str] = {}
    ensemble: list[str] = []  # folders of the member runs
    published: str = ""  # name of the published model, in `published.MODELS`
    licence: str = ""  # of these weights
    warning: str = ""  # what the model cannot be trusted with

    @model_validator(mode="after")
    def _check_input_size(self) -> Self:
        if isinstance(self.input_size, str) and not self.ensemble:
            raise ValueError(f"input_size should be a number, got {self.input_size[:60]!r}")
        return self


def write_metadata(run: StrPath, metadata: Mapping[str, Any]) -> None:
    """Write run.json: affect order, crop settings, input size, backbone, splits, versions, seed."""
    write_json(Path(run) / METADATA, {"schema": SCHEMA, **metadata})


def read_metadata(run: StrPath) -> dict[str, Any]:
    """Read the metadata of a run from its run.json, and check it.

    Raises:
        AffectkitError: `run` is not a run folder, its run.json is damaged, or an older or newer
            affectkit wrote it.
    """
    path = Path(run) / METADATA
    if not path.is_file():
        raise AffectkitError(
            f"{run} is not a run: expected a folder with a {METADATA} file, as written by "
            "'affectkit train'"
        )
    metadata = read_json(path, "the metadata of a run")
    schema = metadata.get("schema")
    if type(schema) is not int or schema < 1:
        raise AffectkitError(
            f"{path} is not the metadata of a run: expected a number for the key 'schema', got "
            f"{str(schema)[:60]!r}"
        )
    if schema > SCHEMA:
        raise AffectkitError(
            f"{path} was written by a newer affectkit (schema {schema}, this version reads "
            f"{SCHEMA}); update affectkit"
        )
    if schema < SCHEMA:
        raise AffectkitError(
            f"{path} was written by an older affectkit (schema {schema}, this version reads "
            f"{SCHEMA}); train the run again, into a new folder"
        )
    try:
        return Metadata.model_validate(metadata).model_dump(exclude_unset=True, by_alias=True)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}"
            for fault in error.errors()[:MAX_FAULTS]
        )
        raise AffectkitError(
            f"{path} is damaged: {faults}; restore it, or train the run again, into a new folder"
        ) from None


def list_runs(folder: StrPath) -> list[Path]:
    """List the runs in a folder, sorted by name; for the folder of a run, only that folder.

    Raises:
        AffectkitError: there are none.
    """
    folder = Path(folder)
    if (folder / METADATA).is_file():
        return [folder]
    runs = sorted(path.parent for path in folder.glob(f"*/{METADATA}"))
    if not runs:
        raise AffectkitError(f"no runs in {folder}: expected folders with a {METADATA} file")
    return runs


SCORE_COLUMNS = {
    "split": str, "recording": str, "affect": str, "metric": str,
    "value": float, "low": float, "high": float, "frames": int, "interval": str,
}  # fmt: skip
HISTORY_COLUMNS = dict.fromkeys(
    ("epoch", "loss", "ccc_valence", "ccc_arousal", "ccc_mean", "seconds"), float
)


def read_scores(run: StrPath) -> pd.DataFrame:
    """Read scores.csv: one row per recording, affect and metric.

    Raises:
        AffectkitError: the run has not been evaluated, or the file is damaged.
    """
    path = Path(run) / SCORES
    if not path.is_file():
        raise AffectkitError(f"{run} has no scores; run: affectkit evaluate {run}")
    remedy = f"remove it and run affectkit evaluate {run} again"
    scores = _read_table(path, SCORE_COLUMNS, remedy)
    repeated = scores.duplicated(["split", "recording", "affect", "metric"])
    if repeated.any():
        row = scores[repeated].iloc[0]
        raise AffectkitError(
            f"{path} is damaged: it has two rows for {row['metric']} of {row['affect']}, recording "
            f"{row['recording']!r}, split {row['split']!r}; {remedy}"
        )
    return scores


def read_history(run: StrPath) -> list[dict[str, float]]:
    """Read history.csv: one row per epoch, the first one 1.

    Raises:
        AffectkitError: the file is missing or damaged.
    """
    path = Path(run) / HISTORY
    remedy = "restore it, or train into a new folder"
    table = _read_table(path, HISTORY_COLUMNS, remedy, others=float)
    if list(table["epoch"]) != list(range(1, len(table) + 1)):
        raise AffectkitError(f"{path} is damaged: expected the epochs 1, 2, ...; {remedy}")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _read_table(
    path: Path, columns: Mapping[str, type], remedy: str, others: type = str
) -> pd.DataFrame:
    """Read a CSV file that affectkit has written; text stays text, empty numbers are NaN."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        missing = ", ".join(columns.keys() - set(table.columns))
        fault = f"there is no column {missing}" if missing else ""
        for name in table.columns if not missing else ():
            kind = columns.get(name, others)
            if kind is not str:
                table[name] = pd.to_numeric(table[name].where(table[name] != "")).astype(kind)
    except (OSError, ValueError, OverflowError) as error:  # pandas' errors are ValueErrors
        fault = str(error).splitlines()[0]
    if not fault and table.empty:
        fault = "it has no rows"
    if fault:
        raise AffectkitError(f"{path} is damaged: {fault}; {remedy}")
    return table


def write_scores(run: StrPath, scores: pd.DataFrame) -> None:
    """Write scores.csv."""
    with atomic_write(Path(run) / SCORES, overwrite=True) as partial:
        scores.to_csv(partial, index=False, float_format="%.6f")


def is_synthetic(metadata: Mapping[str, Any]) -> bool:
    """Whether a run was trained on synthetic data only."""
    return list(metadata.get("datasets", [])) == ["synthetic"]


def warning(metadata: Mapping[str, Any]) -> str:
    """What the model of a run cannot be trusted with, in one sentence; "" if nothing is known."""
    return SYNTHETIC_ONLY if is_synthetic(metadata) else str(metadata.get("warning", ""))


def best_epoch(history: Sequence[Mapping[str, float]]) -> int:
    """Index of the epoch with the highest mean validation CCC; the last one if several are equal.

    NaN counts as the lowest CCC.
    """

    def score(epoch: int) -> tuple[float, int]:
        ccc = history[epoch]["ccc_mean"]
        return (-math.inf if math.isnan(ccc) else ccc), epoch

    return max(range(len(history)), key=score)
