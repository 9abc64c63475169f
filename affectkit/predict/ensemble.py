"""The mean of several runs, as a run of its own: predicted, scored and shown like any other."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from affectkit.errors import AffectkitError
from affectkit.run import CONTRACT, ENSEMBLE, read_contract, write_contract
from affectkit.training.recipe import PredictSection

JOINED = ("backbone", "temporal", "loss", "input_size", "sequence_length", "seed", "fingerprint")
LEARNT = ("train", "validation")  # splits that training looks at, the former more
Contract = dict[str, Any]


def make_ensemble(out: Path, runs: Sequence[Path]) -> None:
    """Write the contract of a run that is the mean of others; `predict` does the rest.

    A recording that trained one of them is a training recording of the mean, and one that
    validated one of them a validation recording: of folds, few or none are left to validate.
    Recordings are told apart by name.

    Args:
        out: a new folder.
        runs: two or more, with equal crops. They stay where they are: the mean reads them.

    Raises:
        AffectkitError: there are fewer, their crops differ, a test recording of one trained or
            validated another, or `out` is a run already.
    """
    folders = [str(run.resolve()) for run in runs]
    if len(set(folders)) < 2 or len(set(folders)) < len(folders):
        raise AffectkitError(f"a mean needs two or more different runs, got {len(runs)}")
    contracts = [read_contract(run) for run in runs]
    if (out / CONTRACT).is_file() and read_contract(out).get(ENSEMBLE) != folders:
        raise AffectkitError(f"{out} is another run already; choose a new folder for the mean")
    for run, contract in zip(runs[1:], contracts[1:], strict=True):
        if contract["crop"] != contracts[0]["crop"]:
            raise AffectkitError(
                f"{runs[0]} and {run} were trained on faces that are cut differently "
                f"({contracts[0]['crop']} and {contract['crop']}), so no recording suits both"
            )
    splits = _splits(runs, contracts)
    if not (out / CONTRACT).is_file():  # a second call changes nothing that was chosen meanwhile
        write_contract(out, _describe(out.name, folders, contracts, splits))


def _splits(runs: Sequence[Path], contracts: Sequence[Contract]) -> dict[str, list[str]]:
    seen: dict[str, tuple[Path, str]] = {}  # the run that learnt most of a recording, and how
    for split in LEARNT:
        for run, contract in zip(runs, contracts, strict=True):
            for name in contract["splits"].get(split, []):
                seen.setdefault(name, (run, split))
    splits: dict[str, set[str]] = {}
    for name, (_, split) in seen.items():
        splits.setdefault(split, set()).add(name)
    for run, contract in zip(runs, contracts, strict=True):
        for split in contract["splits"].keys() - set(LEARNT):
            _check_unseen(run, split, contract["splits"][split], seen)
            splits.setdefault(split, set()).update(contract["splits"][split])
    return {split: sorted(names) for split, names in sorted(splits.items())}


def _check_unseen(
    run: Path, split: str, names: Sequence[str], seen: dict[str, tuple[Path, str]]
) -> None:
    for name in names:
        if name in seen:
            other, how = seen[name]
            raise AffectkitError(
                f"recording {name!r} is in the split {split!r} of {run}, but in {how!r} of "
                f"{other}: scores of their mean would be of what it has seen; take runs that were "
                "trained on the same splits"
            )


def _describe(
    name: str, folders: list[str], contracts: Sequence[Contract], splits: dict[str, list[str]]
) -> Contract:
    first = contracts[0]
    return {
        "name": name,
        ENSEMBLE: folders,
        "affect": first["affect"],
        "crop": first["crop"],
        **{key: _joined([contract.get(key) for contract in contracts]) for key in JOINED},
        "predict": PredictSection().model_dump(),
        "datasets": sorted({dataset for c in contracts for dataset in c["datasets"]}),
        "recordings": first["recordings"],
        "splits": splits,
        "subjects": _subjects(contracts, splits),
        "versions": first.get("versions", {}) | {"affectkit": version("affectkit")},
    }


def _joined(values: list[Any]) -> Any:  # noqa: ANN401
    """One value where all are the same, otherwise all of them as text."""
    distinct = list(dict.fromkeys(map(str, values)))
    return values[0] if len(distinct) == 1 else " + ".join(distinct)


def _subjects(contracts: Sequence[Contract], splits: dict[str, list[str]]) -> dict[str, int]:
    """How many subjects a split has, where it is the split of one of the runs."""
    return {
        split: contract["subjects"][split]
        for contract in contracts
        for split, names in splits.items()
        if contract["splits"].get(split) == names and split in contract.get("subjects", {})
    }
