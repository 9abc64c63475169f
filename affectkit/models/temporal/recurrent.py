"""Recurrent modules: PyTorch's GRU and LSTM, and the GRU of TensorFlow 1."""

import torch
from torch import Tensor, nn

from affectkit.models.temporal.base import State, TemporalModule, TemporalOptions


class Recurrent(TemporalModule):
    """PyTorch's GRU or LSTM. In one direction, the output at frame t depends on frames up to t."""

    def __init__(self, rnn: nn.GRU | nn.LSTM) -> None:
        """Wrap a recurrent module of PyTorch with `batch_first=True`."""
        super().__init__()
        self.rnn = rnn
        self.causal = not rnn.bidirectional
        self.width = rnn.hidden_size * (2 if rnn.bidirectional else 1)

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden); twice as wide if bidirectional."""
        if not self.causal:
            return self.rnn(features)[0], ()
        state = state or self.empty_state(len(features))
        start = state if len(state) > 1 else state[0]
        output, end = self.rnn(features, start)
        return output, end if isinstance(end, tuple) else (end,)

    def empty_state(self, batch: int) -> State:
        """Zeros (layers, B, hidden); two of them for an LSTM."""
        if not self.causal:
            return ()
        weight: Tensor = next(self.rnn.parameters())
        shape = (self.rnn.num_layers, batch, self.rnn.hidden_size)
        count = 2 if isinstance(self.rnn, nn.LSTM) else 1
        return tuple(weight.new_zeros(shape) for _ in range(count))


def gru(width: int, options: TemporalOptions) -> Recurrent:
    """GRU, as in AffWildNet; the reset gate is applied after the recurrent product."""
    return _recurrent(nn.GRU, width, options)


def lstm(width: int, options: TemporalOptions) -> Recurrent:
    """LSTM."""
    return _recurrent(nn.LSTM, width, options)


def _recurrent(
    rnn_class: type[nn.GRU] | type[nn.LSTM], width: int, options: TemporalOptions
) -> Recurrent:
    # PyTorch warns if a single layer has dropout
    dropout = options.temporal_dropout if options.layers > 1 else 0.0
    return Recurrent(
        rnn_class(
            width,
            options.hidden,
            options.layers,
            batch_first=True,
            dropout=dropout,
            bidirectional=options.bidirectional,
        )
    )


class GruTf1Layer(nn.Module):
    """One layer of TensorFlow 1's `GRUCell`: the reset gate comes before the recurrent product.

    `gates` and `candidate` are its two kernels, transposed: first the rows of the input, then those
    of the state. `gates` computes the reset gate, then the update gate. The initial values are
    TensorFlow's: Glorot uniform, with a bias of 1 for the gates.
    """

    def __init__(self, width: int, hidden: int) -> None:
        """Build a layer from inputs of `width` to states of `hidden` units."""
        super().__init__()
        self.width = width
        self.gates = nn.Linear(width + hidden, 2 * hidden)
        self.candidate = nn.Linear(width + hidden, hidden)
        for layer, bias in ((self.gates, 1.0), (self.candidate, 0.0)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.constant_(layer.bias, bias)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, T, F) and a state (B, H) to all states (B, T, H) and the last state (B, H)."""
        (gates_of_input, gates_of_state), (candidate_of_input, candidate_of_state) = (
            (layer.weight[:, : self.width], layer.weight[:, self.width :])
            for layer in (self.gates, self.candidate)
        )
        # the products with the input do not depend on the state: one product for all frames
        gate_inputs = nn.functional.linear(features, gates_of_input, self.gates.bias)
        candidate_inputs = nn.functional.linear(features, candidate_of_input, self.candidate.bias)
        states = []
        for gate_input, candidate_input in zip(
            gate_inputs.unbind(1), candidate_inputs.unbind(1), strict=True
        ):
            gates = torch.sigmoid(gate_input + state @ gates_of_state.T)
            reset, update = gates.chunk(2, dim=1)
            candidate = torch.tanh(candidate_input + (reset * state) @ candidate_of_state.T)
            state = update * state + (1 - update) * candidate
            states.append(state)
        return torch.stack(states, dim=1), state


class GruTf1(TemporalModule):
    """Layers of `GruTf1Layer`, for weights trained in TensorFlow 1."""

    def __init__(self, width: int, options: TemporalOptions) -> None:
        """Stack `options.layers` layers."""
        super().__init__()
        self.width = options.hidden
        widths = [width, *[options.hidden] * (options.layers - 1)]
        self.layers = nn.ModuleList(GruTf1Layer(each, options.hidden) for each in widths)
        self.dropout = nn.Dropout(options.temporal_dropout)

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden)."""
        (start,) = state or self.empty_state(len(features))
        ends = []
        for number, layer in enumerate(self.layers):
            features, end = layer(self.dropout(features) if number else features, start[number])
            ends.append(end)
        return features, (torch.stack(ends),)

    def empty_state(self, batch: int) -> State:
        """Zeros (layers, B, hidden)."""
        weight: Tensor = next(self.parameters())
        return (weight.new_zeros(len(self.layers), batch, self.width),)
