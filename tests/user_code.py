"""A script as a user writes it. mypy --strict checks it (make lint); it is not run."""

from pathlib import Path

import xarray as xr

import affectkit as ak
from affectkit import predict

prediction: xr.Dataset = predict("runs/joint", "recordings/one.zarr")
predictions: list[xr.Dataset] = predict("runs/joint", ak.list_recordings("recordings"))
values: xr.DataArray = prediction["prediction"].sel(affect="valence")

recipe = ak.read_recipe("quick")
history = ak.fit(recipe, Path("recordings"), Path("runs/quick"))
best: float = max(row["ccc_mean"] for row in history)
scores = ak.evaluate(Path("runs/quick"))
pooled = scores.loc[scores["recording"] == "(all)", "value"]
recording: xr.Dataset = ak.open_recording(ak.list_recordings("recordings")[0])
segments = ak.worst_segments(recording, prediction)
first: float = segments[0].start
