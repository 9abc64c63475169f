"""The joint net: CNN features of every frame -> fully connected -> memory -> valence and arousal.

Letters for shapes: B windows, T frames of each, N = B * T frames in one row, C channels, H and W
pixels, F features, P = 68 landmark points, A = 2 affects, or 4 columns with their spreads.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from affectkit.models.backbones import build_backbone, normalise
from affectkit.models.taps import tap
from affectkit.models.temporal import Options, Part, SideBySide, State, build_temporal
from affectkit.recording import AFFECT, POINTS

ACTIVATION: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU}
NARROWEST = 1e-3  # of a spread: the likelihood has no upper bound without it


class CnnRnn(nn.Module):
    """A CNN and an RNN trained jointly, end to end (Kollias et al., CVPRW 2017).

    The CNN sees every frame by itself, so the net splits at the features: `frame_features` and
    `read_out` are its two halves, and `forward` is nothing but both.
    """

    calibration: Tensor

    def __init__(
        self,
        backbone: str,
        temporal: str = "gru",
        *,
        input_size: int = 96,
        connected: Sequence[int] = (64,),
        activation: str = "gelu",
        norm: bool = True,
        dropout: Sequence[float] = (0.0,),
        landmarks: bool = False,
        taps: Sequence[str] = (),
        one_memory: bool = False,
        spread: bool = False,
        pretrained: bool = False,
        weights: str = "",
        pixels: str = "native",
        **memory: Any,  # noqa: ANN401
    ) -> None:
        """Build the net; but for `input_size`, the arguments are the keys of a recipe's [model].

        Args:
            backbone: a name that `build_backbone` knows.
            temporal: a name in `TEMPORAL`; "none" is the CNN by itself.
            input_size: pixels a side; some backbones give more features for more of them.
            connected: widths of the fully connected layers between CNN and memory; may be empty.
            activation: after each of them, a name in `ACTIVATION`.
            norm: normalise the features of each of them (layer norm) before its activation.
            dropout: share of each that is dropped in training; a single one is for all.
            landmarks: feed the 68 landmarks into the first of them, as the paper does.
            taps: layers of the backbone whose flattened features go around them to the memory.
            one_memory: one temporal part over the fully connected features and all taps, instead of
                one for each.
            spread: give each value's standard deviation too.
            pretrained: start the CNN from published weights.
            weights: start the CNN from this local file; a recipe may name a run here.
            pixels: a name in `PIXELS`: how the CNN is shown its pictures.
            memory: the keys of `Options`.

        Raises:
            AffectkitError: an unknown name, or weights that cannot be had.
        """
        super().__init__()
        self.cnn, width, self.pixels = build_backbone(
            backbone, pretrained=pretrained, weights=weights, pixels=pixels, size=input_size
        )
        self.landmarks, self.taps = landmarks, tuple(taps)
        self.heard = tap(self.cnn, taps)
        tapped = self._tapped_widths(input_size) if taps else []
        width += 2 * POINTS if landmarks else 0
        self.connected = fully_connected(width, connected, activation, norm, dropout)
        widths = [connected[-1] if connected else width, *tapped]
        self.temporal = _memories(temporal, widths, one_memory, Options(**memory))
        self.output = nn.Linear(self.temporal.width, len(AFFECT))
        self.spread = nn.Linear(self.temporal.width, len(AFFECT)) if spread else None
        if spread:  # fitted on the validation recordings once the net is trained
            self.register_buffer("calibration", torch.ones(len(AFFECT)))

    @torch.no_grad()
    def _tapped_widths(self, size: int) -> list[int]:
        self.cnn.eval()
        self.cnn(torch.zeros(1, 3, size, size))
        self.cnn.train()
        return [self.heard.pop(name).shape[1] for name in self.taps]

    def normalise(self, face: Tensor) -> Tensor:
        """Turn stored faces (..., H, W, C) uint8 into the CNN's input (N, C, H, W)."""
        return normalise(face, self.pixels)

    def frame_features(self, image: Tensor, landmark: Tensor) -> Tensor:
        """Features of single frames.

        Args:
            image: (N, C, H, W), normalised.
            landmark: (N, P, 2), the crop spans [-1, 1]; missing ones are 0.

        Returns:
            (N, F): the last fully connected layer's, then those of the taps.
        """
        features = self.cnn(image)
        tapped = [self.heard.pop(name) for name in self.taps]
        if self.landmarks:
            features = torch.cat([features, landmark.flatten(1)], dim=1)
        return torch.cat([self.connected(features), *tapped], dim=1)

    def read_out(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Valence and arousal from features (B, T, F), going on from `state`.

        Returns:
            (B, T, A): valence, arousal and, with `spread`, the standard deviation of each; and the
            state after the last frame.
        """
        remembered, state = self.temporal(features, state)
        affect = self.output(remembered)
        if self.spread is None:
            return affect, state
        deviation = nn.functional.softplus(self.spread(remembered)) + NARROWEST
        return torch.cat([affect, deviation * self.calibration], dim=2), state

    def forward(self, image: Tensor, landmark: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Valence and arousal of every frame of B windows.

        Args:
            image: (B, T, C, H, W), normalised.
            landmark: (B, T, P, 2).
            state: of the frames before, or empty at a recording's start.

        Returns:
            (B, T, A) as `read_out` gives it, and the state after the last frame.
        """
        shape = image.shape[:2]
        features = self.frame_features(image.flatten(0, 1), landmark.flatten(0, 1))
        return self.read_out(features.view(*shape, -1), state)


def fully_connected(
    width: int, sizes: Sequence[int], activation: str, norm: bool, dropout: Sequence[float]
) -> nn.Sequential:
    """Fully connected layers, each with its normalisation, activation and dropout."""
    shares = list(dropout) * len(sizes) if len(dropout) == 1 else dropout
    layers: list[nn.Module] = []
    for before, size, share in zip((width, *sizes), sizes, shares, strict=False):
        layers.append(nn.Linear(before, size))
        if norm:
            layers.append(nn.LayerNorm(size))
        layers += [ACTIVATION[activation](), nn.Dropout(share)]
    return nn.Sequential(*layers)


def _memories(temporal: str, widths: Sequence[int], one: bool, options: Options) -> Part:
    if one or len(widths) == 1:
        return build_temporal(temporal, sum(widths), options)
    return SideBySide([build_temporal(temporal, width, options) for width in widths], widths)
