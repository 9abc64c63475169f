"""The card of a run: on which data it was trained, how, how well it does, and what it is not for.

It is Markdown, made of the files in the run's folder alone. Names come from other people's data
and files, so whatever is not ours is escaped: it can neither draw, link nor hide anything.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from affectkit.files import write_text
from affectkit.run import CARD, HISTORY, RECIPE, SCORES, read_contract, read_scores

POOLED = {"(all)": "all frames pooled", "(mean)": "mean over recordings"}
DRAWN = (
    "**It has only seen drawn people: it knows nothing about real ones.** Its scores say whether "
    "training works, not how well it reads a face."
)
LIMITS = (
    "It has learnt how the raters of these datasets judged the faces in them. It has not been "
    "shown what people feel, nor people, cameras or situations unlike these.",
    "It is for research. Do not decide about a person by it.",
    "The terms of the datasets, and of weights it started from, hold for this run too.",
    "Scores hold for people it has not seen only where the splits share no subject.",
)


def write_card(run: Path) -> None:
    """Write card.md from what is in the run's folder; one that says the same stays as it is.

    Raises:
        AffectkitError: it is not a run.
    """
    contract = read_contract(run)
    parts = [
        f"# {escape(contract.get('name', run.name))}",
        *_net(contract),
        *_data(contract),
        *_training(run),
        *_scores(run),
        *_limits(contract),
        *_details(run, contract),
    ]
    text, path = "\n\n".join(parts) + "\n", run / CARD
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def escape(text: object) -> str:
    """One line of Markdown that shows `text` as it is."""
    return re.sub(r"([!-+./:-@\[-`{-~])", r"\\\1", " ".join(str(text).split()))


def _net(contract: dict[str, Any]) -> Iterator[str]:
    backbone, temporal = (escape(contract.get(key, "?")) for key in ("backbone", "temporal"))
    yield (
        f"Valence and arousal, each in \\[-1, 1\\], of every frame of a face video. Backbone "
        f"{backbone}, temporal part {temporal}; faces of {escape(contract.get('input_size', '?'))} "
        f"pixels a side, windows of {escape(contract.get('sequence_length', '?'))} frames."
    )


def _data(contract: dict[str, Any]) -> Iterator[str]:
    datasets = ", ".join(escape(name or "unnamed") for name in contract.get("datasets", []))
    yield "## Data"
    yield f"Recordings of {datasets or 'unknown datasets'}."
    subjects = contract.get("subjects", {})
    rows = [
        (escape(split), str(len(names)), escape(subjects.get(split, "?")))
        for split, names in contract.get("splits", {}).items()
    ]
    yield _table(("split", "recordings", "subjects"), rows)


def _training(run: Path) -> Iterator[str]:
    if not (run / HISTORY).is_file():
        return
    history: list[dict[str, Any]] = pd.read_csv(run / HISTORY).to_dict("records")  # type: ignore[assignment]
    best = max(history, key=lambda row: -1.0 if math.isnan(row["ccc_mean"]) else row["ccc_mean"])
    yield "## Training"
    yield (
        f"{len(history)} epochs. The weights are those of epoch {best['epoch']:.0f}, with the best "
        f"mean CCC on the validation recordings: {best['ccc_mean']:.3f} (valence "
        f"{best['ccc_valence']:.3f}, arousal {best['ccc_arousal']:.3f})."
    )


def _scores(run: Path) -> Iterator[str]:
    yield "## Scores"
    if not (run / SCORES).is_file():
        yield "Not evaluated yet: `affectkit predict` and `affectkit evaluate` do it."
        return
    scores = read_scores(run)
    shown = scores[scores["recording"].isin(POOLED) & (scores["metric"] == "ccc")]
    rows = [
        (escape(split), POOLED[str(name)], str(group["frames"].max()), *_cells(group))
        for (split, name), group in shown.groupby(["split", "recording"], sort=False)
    ]
    yield _table(("split", "over", "frames", "CCC valence", "CCC arousal", "CCC mean"), rows)
    yield "In brackets 95 % intervals: " + "; ".join(map(escape, shown["interval"].unique())) + "."


def _cells(scores: pd.DataFrame) -> Iterator[str]:
    values = scores.set_index("affect")[["value", "low", "high"]]
    for value, low, high in values.loc[["valence", "arousal", "mean"]].itertuples(index=False):
        yield f"{value:.3f}" + ("" if math.isnan(low) else f" \\[{low:.3f}, {high:.3f}\\]")


def _limits(contract: dict[str, Any]) -> Iterator[str]:
    yield "## Limits of use"
    drawn = contract.get("datasets") == ["synthetic"]
    yield "\n".join(f"- {line}" for line in ((DRAWN,) if drawn else ()) + LIMITS)


def _details(run: Path, contract: dict[str, Any]) -> Iterator[str]:
    yield "## How to make it again"
    kept = {key: contract[key] for key in ("crop", "fingerprint", "versions") if key in contract}
    yield _fence("json", json.dumps(kept, indent=2, ensure_ascii=False))
    if (run / RECIPE).is_file():
        yield f"`affectkit train {RECIPE} --recordings FOLDER --run NEW_FOLDER`, with this recipe:"
        yield _fence("toml", (run / RECIPE).read_text(encoding="utf-8").strip())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fence(language: str, text: str) -> str:
    """A block of code that its own text cannot end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
