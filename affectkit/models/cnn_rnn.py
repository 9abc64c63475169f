"""The CNN-RNN model: CNN features of each frame, fully connected layers, RNN, valence and arousal.

Letters in shapes: B windows, T frames of each window, N = B * T frames, C channels, H and W pixels,
F features, P = 68 landmark points, A = 2 outputs (valence, arousal), or 4 with their standard
deviations.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from affectkit.errors import unknown
from affectkit.files import StrPath
from affectkit.models.backbones import build_backbone
from affectkit.models.normalisation import normalise
from affectkit.models.temporal import (
    Parallel,
    State,
    TemporalModule,
    TemporalOptions,
    build_temporal,
)
from affectkit.recording import AFFECT, POINTS

ACTIVATION: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU}
MIN_STD = 1e-3  # without a lower bound of the std, the likelihood has no upper bound


class CnnRnn(nn.Module):
    """A CNN and an RNN trained jointly, end to end (Kollias et al., CVPRW 2017).

    The model has two halves: `frame_features` computes the features of single frames, `decode` runs
    the RNN and the output layers over their sequence. `forward` calls both.
    """

    calibration: Tensor
    metadata: Mapping[str, Any] | None = None  # of the run that `load_model` loaded it from

    def __init__(
        self,
        backbone: str,
        temporal: str = "gru",
        *,
        input_size: int = 96,
        fc: Sequence[int] = (64,),
        activation: str = "gelu",
        layer_norm: bool = True,
        dropout: Sequence[float] = (0.0,),
        landmarks: bool = False,
        feature_layers: Sequence[str] = (),
        shared_rnn: bool = False,
        std: bool = False,
        pretrained: bool = False,
        weights: StrPath = "",
        normalisation: str = "native",
        **temporal_options: Any,  # noqa: ANN401
    ) -> None:
        """Build the model. All arguments except `input_size` are keys of a recipe's [model].

        Args:
            backbone: a name that `build_backbone` accepts.
            temporal: a name in `TEMPORAL`; "none" gives a per-frame CNN.
            input_size: side of the input images in pixels.
            fc: widths of the fully connected layers between CNN and RNN; may be empty.
            activation: activation of the fully connected layers, a name in `ACTIVATION`.
            layer_norm: apply layer norm before each of these activations.
            dropout: dropout of the fully connected layers: one value for all, or one for each.
            landmarks: feed the 68 landmarks into the first fully connected layer, as in the paper.
            feature_layers: layers of the backbone. Their flattened outputs bypass the fully
                connected layers and go directly into RNNs.
            shared_rnn: use one RNN for the fully connected features and all feature layers, instead
                of one for each of them.
            std: also predict a standard deviation of each output.
            pretrained: start the CNN from published weights.
            weights: start the CNN from this local file; in a recipe this may also be a run.
            normalisation: a name in `NORMALISATIONS`.
            temporal_options: the fields of `TemporalOptions`.

        Raises:
            AffectkitError: a name is unknown, or the weights cannot be loaded.
        """
        super().__init__()
        self.cnn, width, self.normalisation = build_backbone(
            backbone,
            pretrained=pretrained,
            weights=weights,
            normalisation=normalisation,
            size=input_size,
        )
        self.landmarks, self.feature_layers = landmarks, tuple(feature_layers)
        self.features = hook_layers(self.cnn, feature_layers)
        feature_widths = self._feature_layer_widths(input_size) if feature_layers else []
        width += 2 * POINTS if landmarks else 0
        self.fc = fully_connected(width, fc, activation, layer_norm, dropout)
        widths = [fc[-1] if fc else width, *feature_widths]
        self.temporal = build_rnns(
            temporal, widths, TemporalOptions(**temporal_options), shared=shared_rnn
        )
        self.head = nn.Linear(self.temporal.width, len(AFFECT))
        self.std_head = nn.Linear(self.temporal.width, len(AFFECT)) if std else None
        if std:  # fitted on the validation recordings after training
            self.register_buffer("calibration", torch.ones(len(AFFECT)))

    @torch.no_grad()
    def _feature_layer_widths(self, size: int) -> list[int]:
        self.cnn.eval()
        self.cnn(torch.zeros(1, 3, size, size))
        self.cnn.train()
        return [self.features.pop(name).shape[1] for name in self.feature_layers]

    def normalise(self, face: Tensor) -> Tensor:
        """Convert stored faces (..., H, W, C) uint8 to the input of the CNN (N, C, H, W)."""
        return normalise(face, self.normalisation)

    def frame_features(self, image: Tensor, landmark: Tensor) -> Tensor:
        """Features of single frames.

        Args:
            image: (N, C, H, W), normalised.
            landmark: (N, P, 2), in crop coordinates from -1 to 1; missing landmarks are 0.

        Returns:
            (N, F): the output of the last fully connected layer, then the outputs of
            `feature_layers`.
        """
        cnn_features = self.cnn(image)
        of_layers = [self.features.pop(name) for name in self.feature_layers]
        if self.landmarks:
            cnn_features = torch.cat([cnn_features, landmark.flatten(1)], dim=1)
        return torch.cat([self.fc(cnn_features), *of_layers], dim=1)

    def decode(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Valence and arousal from features (B, T, F), continuing from `state`.

        Returns:
            (B, T, A): valence, arousal and, for a model with `std`, the standard deviation of each;
            and the state after the last frame.
        """
        hidden, state = self.temporal(features, state)
        affect = self.head(hidden)
        if self.std_head is None:
            return affect, state
        std = nn.functional.softplus(self.std_head(hidden)) + MIN_STD
        return torch.cat([affect, std * self.calibration], dim=2), state

    def forward(self, image: Tensor, landmark: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Valence and arousal of all frames of B windows.

        Args:
            image: (B, T, C, H, W), normalised.
            landmark: (B, T, P, 2).
            state: the state after the previous frames; empty at the start of a recording.

        Returns:
            (B, T, A) and the state after the last frame, as `decode` returns them.
        """
        shape = image.shape[:2]
        features = self.frame_features(image.flatten(0, 1), landmark.flatten(0, 1))
        return self.decode(features.view(*shape, -1), state)


def hook_layers(module: nn.Module, names: Iterable[str]) -> dict[str, Tensor]:
    """Register forward hooks that keep the outputs of layers.

    Args:
        module: the backbone.
        names: the paths of the layers, as `named_modules` gives them.

    Returns:
        A dict that each forward pass fills with the output of each layer, (N, F), flattened. Remove
        the outputs with `pop`: otherwise they keep the graph of the pass in memory.

    Raises:
        AffectkitError: the module has no such layer.
    """
    layers = {name: layer for name, layer in module.named_modules() if name}
    outputs: dict[str, Tensor] = {}
    for name in names:
        if name not in layers:
            raise unknown("layer of the backbone", name, layers)
        layers[name].register_forward_hook(partial(_keep_output, outputs, name))
    return outputs


def _keep_output(
    outputs: dict[str, Tensor], name: str, layer: nn.Module, inputs: object, output: Tensor
) -> None:
    # a copy, because a ReLU that follows may change the tensor in place
    outputs[name] = output.clone().flatten(1)


def fully_connected(
    width: int, sizes: Sequence[int], activation: str, layer_norm: bool, dropout: Sequence[float]
) -> nn.Sequential:
    """Fully connected layers, each with its layer norm, activation and dropout."""
    rates = list(dropout) * len(sizes) if len(dropout) == 1 else dropout
    layers: list[nn.Module] = []
    for width_in, width_out, rate in zip((width, *sizes), sizes, rates, strict=False):
        layers.append(nn.Linear(width_in, width_out))
        if layer_norm:
            layers.append(nn.LayerNorm(width_out))
        layers += [ACTIVATION[activation](), nn.Dropout(rate)]
    return nn.Sequential(*layers)


def build_rnns(
    temporal: str, widths: Sequence[int], options: TemporalOptions, *, shared: bool
) -> TemporalModule:
    """One temporal module for each of `widths`, or one `shared` module for all of them."""
    if shared or len(widths) == 1:
        return build_temporal(temporal, sum(widths), options)
    return Parallel([build_temporal(temporal, width, options) for width in widths], widths)
