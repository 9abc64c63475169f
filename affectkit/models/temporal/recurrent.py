"""Recurrent parts: torch's GRU and LSTM, and the GRU of TensorFlow 1."""

import torch
from torch import Tensor, nn

from affectkit.models.temporal.part import Options, Part, State


class Recurrent(Part):
    """A GRU or an LSTM of torch. In one direction, frame t sees frames up to t."""

    def __init__(self, part: nn.GRU | nn.LSTM) -> None:
        """Wrap one of torch's recurrent modules, batch first."""
        super().__init__()
        self.part = part
        self.causal = not part.bidirectional
        self.width = part.hidden_size * (2 if part.bidirectional else 1)

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden), or twice as wide in both directions."""
        if not self.causal:
            return self.part(features)[0], ()
        state = state or self.empty_state(len(features))
        start = state if len(state) > 1 else state[0]
        output, end = self.part(features, start)
        return output, end if isinstance(end, tuple) else (end,)

    def empty_state(self, batch: int) -> State:
        """Zeros (layers, B, hidden); two of them for an LSTM."""
        if not self.causal:
            return ()
        weight: Tensor = next(self.part.parameters())
        shape = (self.part.num_layers, batch, self.part.hidden_size)
        count = 2 if isinstance(self.part, nn.LSTM) else 1
        return tuple(weight.new_zeros(shape) for _ in range(count))


def gru(width: int, options: Options) -> Recurrent:
    """Gated recurrent units, as in AffWildNet; the reset gate follows the recurrent product."""
    return _recurrent(nn.GRU, width, options)


def lstm(width: int, options: Options) -> Recurrent:
    """Long short-term memory."""
    return _recurrent(nn.LSTM, width, options)


def _recurrent(kind: type[nn.GRU] | type[nn.LSTM], width: int, options: Options) -> Recurrent:
    between = options.temporal_dropout if options.layers > 1 else 0.0  # torch warns of one layer
    return Recurrent(
        kind(
            width,
            options.hidden,
            options.layers,
            batch_first=True,
            dropout=between,
            bidirectional=options.bidirectional,
        )
    )


class GruTf1Layer(nn.Module):
    """One layer of TensorFlow 1's `GRUCell`: the reset gate comes before the recurrent product.

    `gates` and `candidate` are its two kernels, transposed: rows of the input, then of the state;
    `gates` gives the reset gate, then the update gate. They start as TensorFlow's do: Glorot
    uniform, with the gates' bias at 1.
    """

    def __init__(self, width: int, hidden: int) -> None:
        """Map inputs of `width` to states of `hidden`."""
        super().__init__()
        self.width = width
        self.gates = nn.Linear(width + hidden, 2 * hidden)
        self.candidate = nn.Linear(width + hidden, hidden)
        for layer, bias in ((self.gates, 1.0), (self.candidate, 0.0)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.constant_(layer.bias, bias)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, T, F) and a state (B, H) to all states (B, T, H) and the last."""
        (from_input, gates), (candidate_input, candidate) = (
            (layer.weight[:, : self.width], layer.weight[:, self.width :])
            for layer in (self.gates, self.candidate)
        )
        # what depends on the input alone is one product for all frames
        gates_in = nn.functional.linear(features, from_input, self.gates.bias)
        candidate_in = nn.functional.linear(features, candidate_input, self.candidate.bias)
        states = []
        for gate, proposal in zip(gates_in.unbind(1), candidate_in.unbind(1), strict=True):
            reset, update = torch.sigmoid(gate + state @ gates.T).chunk(2, dim=1)
            proposed = torch.tanh(proposal + (reset * state) @ candidate.T)
            state = update * state + (1 - update) * proposed
            states.append(state)
        return torch.stack(states, dim=1), state


class GruTf1(Part):
    """Layers of `GruTf1Layer`, for weights that were trained in TensorFlow 1."""

    def __init__(self, width: int, options: Options) -> None:
        """Stack `options.layers` of them."""
        super().__init__()
        self.width = options.hidden
        widths = [width, *[options.hidden] * (options.layers - 1)]
        self.layers = nn.ModuleList(GruTf1Layer(each, options.hidden) for each in widths)
        self.dropout = nn.Dropout(options.temporal_dropout)

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden)."""
        (before,) = state or self.empty_state(len(features))
        ends = []
        for number, layer in enumerate(self.layers):
            features, end = layer(self.dropout(features) if number else features, before[number])
            ends.append(end)
        return features, (torch.stack(ends),)

    def empty_state(self, batch: int) -> State:
        """Zeros (layers, B, hidden)."""
        weight: Tensor = next(self.parameters())
        return (weight.new_zeros(len(self.layers), batch, self.width),)
