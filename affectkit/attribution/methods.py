"""Attribution methods by name."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from affectkit.attribution.frames import Maps
from affectkit.attribution.gradients import gradient_x_input
from affectkit.attribution.integrated_gradients import STEPS, integrated_gradients
from affectkit.errors import AffectkitError, unknown

MAX_STEPS = 10_000


class Method(NamedTuple):
    """An attribution method."""

    compute: Callable[..., Iterator[Maps]]  # (model, consecutive chunks, **settings)
    baseline: str
    settings: Mapping[str, int] = {}  # with their defaults


METHODS: dict[str, Method] = {
    "gradient_x_input": Method(gradient_x_input, "the mean grey of the backbone's normalisation"),
    "integrated_gradients": Method(
        integrated_gradients,
        "the face blurred: mean over a square a third as wide as the crop",
        {"steps": STEPS},
    ),
}


def method_settings(method: str, steps: int | None) -> dict[str, int]:
    """The settings of a method; None stands for the default.

    Raises:
        AffectkitError: the method is unknown, has no such setting, or the value is invalid.
    """
    if method not in METHODS:
        raise unknown("attribution method", method, METHODS)
    settings = dict(METHODS[method].settings)
    if steps is not None:
        if "steps" not in settings:
            raise AffectkitError(f"{method} has no steps; leave them out (--steps)")
        if not 1 <= steps <= MAX_STEPS:
            raise AffectkitError(f"steps should be from 1 to {MAX_STEPS}, got {steps}")
        settings["steps"] = steps
    return settings
