"""The model card of a run (card.md): training data, training, scores and limits of use.

It is Markdown, made from the files in the output folder of the run alone. Names of datasets and
splits come from users' files, so they are escaped: they cannot add links, images or markup.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, read_text, write_text
from affectkit.run import (
    CARD,
    HISTORY,
    PUBLISHED_RUN,
    RECIPE,
    SCORES,
    SYNTHETIC_ONLY,
    best_epoch,
    is_synthetic,
    read_history,
    read_metadata,
    read_scores,
)

POOLED = {"(all)": "all frames pooled", "(mean)": "mean over recordings"}
SYNTHETIC = (
    f"**{SYNTHETIC_ONLY[0].upper()}{SYNTHETIC_ONLY[1:]}.** Its scores show whether training works, "
    "not how well it recognises emotion in real faces."
)
LIMITS = (
    "The model has learnt how the raters of these datasets judged the faces in them. It has not "
    "learnt what people feel, and it has not seen other people, cameras or situations.",
    "It is for research. Do not use it to make decisions about a person.",
    "The terms of the datasets, and of pretrained weights if any were used, apply to this run too.",
    "The scores are valid for new people only if no subject is in more than one split.",
)

# what the agreement of a dataset says about sharing models that were trained on it
ASK = "its agreement is for academic use: ask its authors before you share this model"
SHARING = {
    **dict.fromkeys(("affwild", "afew_va", "affectnet", "recola", "sewa"), ASK),
    **dict.fromkeys(
        ("affwild2", "affwild2-crops"),
        "its newer agreement limits sharing of models to controlled access within universities: "
        "read the one that you have signed before you share this model",
    ),
    "omg": "CC BY-NC-SA 3.0 DE, no redistribution: ask its authors before you share this model",
}


def write_card(run: StrPath) -> None:
    """Write card.md from the files of a run; a card with the same text is left untouched.

    Raises:
        AffectkitError: `run` is not a run.
    """
    run = Path(run)
    metadata = read_metadata(run)
    parts = [
        f"# {escape(metadata.get('name', run.name))}",
        *_model(metadata),
        *_data(metadata),
        *_training(run),
        *_scores(run),
        *_limits(metadata),
        *_details(run, metadata),
    ]
    text, path = "\n\n".join(parts) + "\n", run / CARD
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text)


def escape(text: object) -> str:
    """Escape `text` as one line of Markdown that renders as the text itself."""
    return re.sub(r"([!-+./:-@\[-`{-~])", r"\\\1", " ".join(str(text).split()))


def _model(metadata: Mapping[str, Any]) -> Iterator[str]:
    backbone, temporal, size, length = (
        escape(metadata.get(key, "?"))
        for key in ("backbone", "temporal", "input_size", "sequence_length")
    )
    published = metadata.get(PUBLISHED_RUN)
    origin = f"trained on windows of {length} frames"
    if published:
        licence = escape(metadata.get("licence", "?"))
        origin = f"published weights {escape(published)} (licence: {licence})"
    yield (
        f"Predicts valence and arousal, each in \\[-1, 1\\], for every frame of a face video. "
        f"Backbone {backbone}, temporal module {temporal}; input of {size} x {size} pixels, "
        f"{origin}."
    )


def _data(metadata: Mapping[str, Any]) -> Iterator[str]:
    datasets = ", ".join(escape(name or "unnamed") for name in metadata.get("datasets", []))
    yield "## Data"
    if metadata.get(PUBLISHED_RUN):
        yield f"Trained by its authors on {datasets}. {escape(metadata.get('crop_source', ''))}."
        return
    yield f"Recordings of {datasets or 'unknown datasets'}."
    subjects = metadata.get("subjects", {})
    rows = [
        (escape(split), str(len(names)), escape(subjects.get(split, "?")))
        for split, names in metadata.get("splits", {}).items()
    ]
    yield _table(("split", "recordings", "subjects"), rows)


def _training(run: Path) -> Iterator[str]:
    if not (run / HISTORY).is_file():
        return
    yield "## Training"
    try:
        history = read_history(run)
    except AffectkitError as error:  # it is no reason not to score the run
        yield escape(error)
        return
    best = history[best_epoch(history)]
    yield (
        f"{len(history)} epochs. The weights are from epoch {best['epoch']:.0f}, which has the "
        f"highest mean CCC on the validation recordings: {best['ccc_mean']:.3f} (valence "
        f"{best['ccc_valence']:.3f}, arousal {best['ccc_arousal']:.3f})."
    )


def _scores(run: Path) -> Iterator[str]:
    yield "## Scores"
    if not (run / SCORES).is_file():
        yield "Not evaluated yet: run `affectkit predict` and `affectkit evaluate`."
        return
    try:
        scores = read_scores(run)
    except AffectkitError as error:
        yield escape(error)
        return
    shown = scores[scores["recording"].isin(POOLED) & (scores["metric"] == "ccc")]
    rows = [
        (escape(split), POOLED[str(name)], str(group["frames"].max()), *_cells(group))
        for (split, name), group in shown.groupby(["split", "recording"], sort=False)
    ]
    yield _table(("split", "over", "frames", "CCC valence", "CCC arousal", "CCC mean"), rows)
    yield "95 % intervals in brackets: " + "; ".join(map(escape, shown["interval"].unique())) + "."


def _cells(scores: pd.DataFrame) -> Iterator[str]:
    values = scores.set_index("affect")[["value", "low", "high"]]
    for value, low, high in values.loc[["valence", "arousal", "mean"]].itertuples(index=False):
        yield f"{value:.3f}" + ("" if math.isnan(low) else f" \\[{low:.3f}, {high:.3f}\\]")


def _limits(metadata: Mapping[str, Any]) -> Iterator[str]:
    yield "## Limits of use"
    lines = (SYNTHETIC, *LIMITS) if is_synthetic(metadata) else LIMITS
    if known := metadata.get("warning"):
        lines = (f"**{escape(known[0].upper() + known[1:])}.**", *lines)
    names = [name for name in metadata.get("datasets", []) if name in SHARING]
    lines = (*lines, *(f"{escape(name)}: {escape(SHARING[name])}." for name in names))
    yield "\n".join(f"- {line}" for line in lines)


def _details(run: Path, metadata: Mapping[str, Any]) -> Iterator[str]:
    yield "## How to reproduce it"
    kept = {key: metadata[key] for key in ("crop", "fingerprint", "versions") if key in metadata}
    yield _fence("json", json.dumps(kept, indent=2, ensure_ascii=False))
    try:
        recipe = read_text(run / RECIPE).strip()
    except AffectkitError:  # an ensemble has none
        return
    if recipe:
        yield f"`affectkit train {RECIPE} --recordings FOLDER --run NEW_FOLDER`, with this recipe:"
        yield _fence("toml", recipe)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fence(language: str, text: str) -> str:
    """A fenced code block with a fence that does not occur in `text`."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
