"""The joint net: backbones, temporal parts, and the losses it is trained by."""
