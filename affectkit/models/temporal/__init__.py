"""Temporal modules by name: from features of each frame to outputs that depend on past frames."""

from collections.abc import Callable

from affectkit.errors import AffectkitError, unknown
from affectkit.models.temporal.base import (
    Identity,
    Parallel,
    State,
    TemporalModule,
    TemporalOptions,
)
from affectkit.models.temporal.recurrent import GruTf1, gru, lstm
from affectkit.models.temporal.tcn import Tcn
from affectkit.models.temporal.transformer import CausalTransformer

__all__ = ["TEMPORAL", "Parallel", "State", "TemporalModule", "TemporalOptions", "build_temporal"]

TEMPORAL: dict[str, Callable[[int, TemporalOptions], TemporalModule]] = {
    "none": Identity,
    "gru": gru,
    "gru_tf1": GruTf1,
    "lstm": lstm,
    "tcn": Tcn,
    "transformer": CausalTransformer,
}
BIDIRECTIONAL = ("gru", "lstm")


def build_temporal(name: str, width: int, options: TemporalOptions) -> TemporalModule:
    """Build a temporal module for features of `width`.

    Raises:
        AffectkitError: the name is unknown, or the options are invalid for this module.
    """
    if name not in TEMPORAL:
        raise unknown("temporal module", name, TEMPORAL)
    if options.bidirectional and name not in BIDIRECTIONAL:
        raise AffectkitError(
            f"model.bidirectional = true requires model.temporal = {' or '.join(BIDIRECTIONAL)}, "
            f"got {name}"
        )
    return TEMPORAL[name](width, options)
