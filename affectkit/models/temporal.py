"""Temporal parts: features of every frame in and out, with a state to carry."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from affectkit.errors import unknown

State = tuple[Tensor, ...]  # each (layers, B, hidden); empty for a part without memory


class NoMemory(nn.Module):
    """Passes every frame on by itself: the CNN-only sister of each net."""

    def __init__(self, width: int, hidden: int, layers: int) -> None:
        """Take the arguments of its siblings and ignore `hidden` and `layers`."""
        super().__init__()
        self.width = width

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Give (B, T, F) back as it is."""
        return features, ()

    def empty_state(self, batch: int) -> State:
        """No state."""
        return ()


class Recurrent(nn.Module):
    """A GRU or an LSTM in one direction: frame t sees frames up to t."""

    def __init__(self, part: nn.GRU | nn.LSTM) -> None:
        """Wrap one of torch's recurrent modules, batch first."""
        super().__init__()
        self.part = part
        self.width = part.hidden_size

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) and `state`, or zeros, to (B, T, hidden) and the last state."""
        state = state or self.empty_state(len(features))
        start = state if len(state) > 1 else state[0]
        output, end = self.part(features, start)
        return output, end if isinstance(end, tuple) else (end,)

    def empty_state(self, batch: int) -> State:
        """Zeros: before the first frame."""
        weight: Tensor = next(self.part.parameters())
        shape = (self.part.num_layers, batch, self.part.hidden_size)
        count = 2 if isinstance(self.part, nn.LSTM) else 1
        return tuple(weight.new_zeros(shape) for _ in range(count))


def gru(width: int, hidden: int, layers: int) -> Recurrent:
    """Gated recurrent units, as in AffWildNet."""
    return Recurrent(nn.GRU(width, hidden, layers, batch_first=True))


def lstm(width: int, hidden: int, layers: int) -> Recurrent:
    """Long short-term memory."""
    return Recurrent(nn.LSTM(width, hidden, layers, batch_first=True))


TEMPORAL: dict[str, Callable[[int, int, int], Any]] = {"none": NoMemory, "gru": gru, "lstm": lstm}


def build_temporal(name: str, width: int, *, hidden: int, layers: int) -> Any:  # noqa: ANN401
    """Build a temporal part for features of `width`.

    Raises:
        AffectkitError: no such part.
    """
    if name not in TEMPORAL:
        raise unknown("temporal part", name, TEMPORAL)
    return TEMPORAL[name](width, hidden, layers)
