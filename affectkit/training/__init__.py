"""From recordings to a run: recipe, windows, checkpoints and the loop."""
