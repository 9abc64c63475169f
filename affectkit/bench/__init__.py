"""Side-by-side measurements: every speed is a ratio against something named in the same run."""
