"""Temporal parts by name: what the net remembers of the frames before."""

from collections.abc import Callable

from affectkit.errors import AffectkitError, unknown
from affectkit.models.temporal.attention import CausalTransformer
from affectkit.models.temporal.convolution import Tcn
from affectkit.models.temporal.part import NoMemory, Options, Part, SideBySide, State
from affectkit.models.temporal.recurrent import GruTf1, gru, lstm

__all__ = ["TEMPORAL", "Options", "Part", "SideBySide", "State", "build_temporal"]

TEMPORAL: dict[str, Callable[[int, Options], Part]] = {
    "none": NoMemory,
    "gru": gru,
    "gru_tf1": GruTf1,
    "lstm": lstm,
    "tcn": Tcn,
    "transformer": CausalTransformer,
}
BOTH_WAYS = ("gru", "lstm")


def build_temporal(name: str, width: int, options: Options) -> Part:
    """Build a temporal part for features of `width`.

    Raises:
        AffectkitError: no such part, or it cannot be built so.
    """
    if name not in TEMPORAL:
        raise unknown("temporal part", name, TEMPORAL)
    if options.bidirectional and name not in BOTH_WAYS:
        raise AffectkitError(
            f"model.bidirectional is for {' and '.join(BOTH_WAYS)}, got model.temporal = {name!r}"
        )
    return TEMPORAL[name](width, options)
