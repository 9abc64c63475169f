"""Make the folder of a run from published weights."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from affectkit.card import write_card
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath, atomic_folder, write_text
from affectkit.models.pretrained import differences
from affectkit.parallel import Progress, no_progress
from affectkit.published.affwildnet import MODELS as AFFWILDNET
from affectkit.published.circumplex import MODELS as CIRCUMPLEX
from affectkit.published.emonet import MODELS as EMONET
from affectkit.published.hsemotion import MODELS as HSEMOTION
from affectkit.published.model import PublishedModel
from affectkit.recording import AFFECT
from affectkit.run import (
    METADATA,
    PUBLISHED_RUN,
    RECIPE,
    WEIGHTS,
    read_metadata,
    write_metadata,
)
from affectkit.training.model import build_model, save_weights
from affectkit.training.recipe import Recipe, recipe_text
from affectkit.training.run_metadata import PACKAGES
from affectkit.weights import PUBLISHED, weights_file

MODELS: dict[str, PublishedModel] = {**CIRCUMPLEX, **AFFWILDNET, **EMONET, **HSEMOTION}


def create_published_run(
    name: str, out: StrPath, *, file: StrPath | None = None, progress: Progress = no_progress
) -> None:
    """Make a run of a published model: predict, evaluate, attribute and the dashboard take it.

    A second call with the same folder does nothing if the run is complete.

    Args:
        name: a name in `MODELS`.
        out: output folder of the run.
        file: a local weight file; by default it is fetched (`weights.weights_file`).
        progress: called while the file is fetched.

    Raises:
        AffectkitError: the name is unknown; the weights cannot be fetched, or are of another
            network; or `out` is something else. It is never replaced.
    """
    if name not in MODELS:
        raise unknown("published model", name, MODELS)
    model, out = MODELS[name], Path(out)
    complete = (out / METADATA).is_file() and (out / WEIGHTS).is_file()
    if complete and read_metadata(out).get(PUBLISHED_RUN) == name:
        return
    if os.path.lexists(out):
        raise AffectkitError(
            f"{out} exists and is not a run of the published model {name!r}; remove it, or choose "
            "another folder"
        )
    path = Path(file) if file is not None else weights_file(name, progress=progress)
    tensors = dict(model.read_tensors(path))
    recipe = Recipe.model_validate({"name": name, **model.recipe})
    network = build_model(recipe)
    expected = network.state_dict()
    # older files lack the counters of batch norm, which evaluation does not use
    counters = {key: expected[key] for key in expected if key.endswith("num_batches_tracked")}
    if faults := differences(expected, tensors):
        raise AffectkitError(f"{path} is not {name!r}: {'; '.join(faults)}")
    network.load_state_dict(counters | tensors)
    with atomic_folder(out) as partial:
        write_text(partial / RECIPE, recipe_text(recipe))
        save_weights(network, partial)
        write_metadata(partial, _build_metadata(name, model, recipe))
        write_card(partial)


def _build_metadata(name: str, model: PublishedModel, recipe: Recipe) -> Mapping[str, Any]:
    return {
        "name": name,
        PUBLISHED_RUN: name,
        "licence": PUBLISHED[name].licence,
        "warning": model.warning,
        "affect": list(AFFECT),
        "crop": asdict(model.crop),
        "crop_source": model.crop_source,
        "input_size": recipe.windows.input_size,
        "sequence_length": recipe.windows.length,
        "backbone": recipe.model.backbone,
        "temporal": recipe.model.temporal,
        "predict": recipe.predict.model_dump(),
        "datasets": list(model.trained_on),
        "recordings": "",
        "splits": {},
        "subjects": {},
        "versions": {package: version(package) for package in PACKAGES},
    }
