"""Training: recipes, windows, the training loop, checkpoints, and the metadata of a run."""
