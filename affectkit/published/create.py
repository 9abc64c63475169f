"""Make the folder of a run from published weights."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from affectkit.card import write_card
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath, lock, write_text
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
            network; or `out` is another run.
    """
    if name not in MODELS:
        raise unknown("published model", name, MODELS)
    model, out = MODELS[name], Path(out)
    if (out / METADATA).is_file():
        if read_metadata(out).get(PUBLISHED_RUN) != name:
            raise AffectkitError(f"{out} is another run; choose a new folder for {name!r}")
        if (out / WEIGHTS).is_file():
            return
    path = Path(file) if file is not None else weights_file(model.weights, progress=progress)
    tensors = dict(model.read_tensors(path))
    recipe = Recipe.model_validate({"name": name, **model.recipe})
    network = build_model(recipe)
    expected = network.state_dict()
    # older files lack the counters of batch norm, which evaluation does not use
    counters = {key: expected[key] for key in expected if key.endswith("num_batches_tracked")}
    if faults := differences(expected, tensors):
        raise AffectkitError(f"{path} is not {model.weights!r}: {'; '.join(faults)}")
    network.load_state_dict(counters | tensors)
    with lock(out, "weights run"):
        write_text(out / RECIPE, recipe_text(recipe))
        save_weights(network, out)
        write_metadata(out, _build_metadata(name, model, recipe))
        write_card(out)


def _build_metadata(name: str, model: PublishedModel, recipe: Recipe) -> Mapping[str, Any]:
    return {
        "name": name,
        PUBLISHED_RUN: name,
        "weights": model.weights,
        "licence": PUBLISHED[model.weights].licence,
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
