"""The joint net: CNN features of every frame -> fully connected -> memory -> valence and arousal.

Letters for shapes: B windows, T frames of each, N = B * T frames in one row, C channels, H and W
pixels, F features, P = 68 landmark points.
"""

import torch
from torch import Tensor, nn

from affectkit.models.backbones import build_backbone, normalise
from affectkit.models.temporal import State, build_temporal
from affectkit.recording import POINTS


class CnnRnn(nn.Module):
    """A CNN and an RNN trained jointly, end to end (Kollias et al., CVPRW 2017).

    The CNN sees every frame by itself, so the net splits at the features: `frame_features` and
    `read_out` are its two halves, and `forward` is nothing but both.
    """

    def __init__(
        self,
        backbone: str,
        temporal: str = "gru",
        *,
        features: int = 64,
        hidden: int = 64,
        layers: int = 1,
        dropout: float = 0.0,
        landmarks: bool = False,
        pretrained: bool = False,
        weights: str = "",
    ) -> None:
        """Build the net; the arguments are the keys of a recipe's [model].

        Args:
            backbone: a model name of timm.
            temporal: a name in `TEMPORAL`; "none" is the CNN by itself.
            features: width of the fully connected layer between CNN and memory.
            hidden: units of each recurrent layer.
            layers: number of recurrent layers.
            dropout: share of the fully connected layer dropped in training.
            landmarks: feed the 68 landmarks into the fully connected layer, as the paper does.
            pretrained: start the CNN from timm's weights.
            weights: start the CNN from this local file; a recipe may name a run here.
        """
        super().__init__()
        self.cnn, width, self.pixels = build_backbone(
            backbone, pretrained=pretrained, weights=weights
        )
        self.landmarks = landmarks
        width += 2 * POINTS if landmarks else 0
        self.connected = nn.Sequential(
            nn.Linear(width, features), nn.LayerNorm(features), nn.GELU(), nn.Dropout(dropout)
        )
        self.temporal = build_temporal(temporal, features, hidden=hidden, layers=layers)
        self.output = nn.Linear(self.temporal.width, 2)

    def normalise(self, face: Tensor) -> Tensor:
        """Turn stored faces (..., H, W, C) uint8 into the CNN's input (N, C, H, W)."""
        return normalise(face, self.pixels)

    def frame_features(self, image: Tensor, landmark: Tensor) -> Tensor:
        """Features of single frames.

        Args:
            image: (N, C, H, W), normalised.
            landmark: (N, P, 2), the crop spans [-1, 1]; missing ones are 0.

        Returns:
            (N, F)
        """
        features = self.cnn(image)
        if self.landmarks:
            features = torch.cat([features, landmark.flatten(1)], dim=1)
        out: Tensor = self.connected(features)
        return out

    def read_out(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Valence and arousal (B, T, 2) from features (B, T, F), going on from `state`."""
        remembered, state = self.temporal(features, state)
        return self.output(remembered), state

    def forward(self, image: Tensor, landmark: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Valence and arousal of every frame of B windows.

        Args:
            image: (B, T, C, H, W), normalised.
            landmark: (B, T, P, 2).
            state: of the frames before, or empty at a recording's start.

        Returns:
            (B, T, 2), and the state after the last frame.
        """
        shape = image.shape[:2]
        features = self.frame_features(image.flatten(0, 1), landmark.flatten(0, 1))
        return self.read_out(features.view(*shape, -1), state)
