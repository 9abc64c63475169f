"""How a run predicts: as one stream or in windows, smoothed or not; its contract says it."""

from pathlib import Path

from pydantic import ValidationError

from affectkit.errors import AffectkitError
from affectkit.run import read_contract
from affectkit.training.overlap import Windows
from affectkit.training.recipe import PredictSection


def how_to_predict(run: Path, **changes: object) -> PredictSection:
    """How a run predicts: as its contract says but for `changes`, of which None changes nothing.

    Raises:
        AffectkitError: it is not a run, or a value is not possible.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return PredictSection.model_validate(read_contract(run).get("predict", {}) | given)
    except ValidationError as error:
        faults = "; ".join(
            ".".join(map(str, ("predict", *fault["loc"]))) + f": {fault['msg']}"
            for fault in error.errors()
        )
        raise AffectkitError(f"{run} cannot predict so: {faults}") from None


def windows(how: PredictSection) -> Windows | None:
    """Where the windows lie, or None for one stream."""
    if not how.window:
        return None
    return Windows(how.window, how.stride or how.window, how.blend)
