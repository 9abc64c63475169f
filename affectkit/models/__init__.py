"""The CNN-RNN model: backbones, temporal modules, losses, and prediction of whole recordings."""
