# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Does memory help a net to read affect from a face?
# We train a CNN that sees every frame by itself, and the same CNN jointly with a GRU that remembers
# the frames before. On the way there we look at each thing that training is made of: a recording, a
# window, a forward pass, the loss and one step. The last figure gives the answer.
#
# The people in these videos are drawn. **Drawn people teach a net nothing about real ones:** the
# scores below say whether the road works, not how well it reads a face. For your own recordings,
# make them with `affectkit prepare` and let `FOLDER` be where their folder `recordings` lies.
# %%
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import torch
from IPython.display import display
from PIL.Image import fromarray

from affectkit import compare, evaluate, fit, open_recording, predict, read_recipe
from affectkit.demo import demo
from affectkit.evaluation import table
from affectkit.figures import ccc_dots
from affectkit.figures.style import LIGHT, dress
from affectkit.models.losses import ccc_loss
from affectkit.recording import list_recordings
from affectkit.run import read_contract
from affectkit.training.checkpoint import build_model
from affectkit.training.windows import read_window, resize

FOLDER = Path(os.environ.get("AFFECTKIT_DEMO", "../data/demo"))
EPOCHS = 12
# %% [markdown]
# Where there is no demo, a small one is made: fourteen drawn people, in a minute or two. The whole
# demo, which `affectkit demo` makes, has forty-eight.
# %%
if not (FOLDER / "recordings").exists():
    FOLDER = FOLDER.with_name("demo-quick")
    said = display("Drawing people", display_id=True)
    demo(FOLDER, quick=True, progress=lambda *state: said.update("{}: {} of {}".format(*state)))
# %% [markdown]
# ## One recording
# A recording is one person in one video: a labelled dataset with a row for every frame. Its faces
# stay on disk until they are asked for.
# %%
recording = open_recording(list_recordings(FOLDER / "recordings")[0])
recording
# %% [markdown]
# ## One window
# The net is trained on windows: 80 frames of one recording, one after the other. These are the
# annotation of one window, and every tenth of its faces.
# %%
window = read_window(recording, start=0, length=80)
lines = recording["annotation"].isel(frame=slice(80)).to_series().unstack("affect")
dress(px.line(lines, range_y=[-1, 1]), LIGHT, width=800, height=260).update_layout(showlegend=True)
# %%
fromarray(np.hstack(window.face[::10].numpy()))
# %% [markdown]
# ## One forward pass
# The CNN turns each frame into features, the GRU goes over the features from frame to frame, and a
# last layer reads valence and arousal from what the GRU remembers. The net is new: its weights are
# drawn by chance.
# %%
joint = read_recipe("quick", ["name=joint", f"training.epochs={EPOCHS}"])
cnn = read_recipe("quick", ["name=cnn", f"training.epochs={EPOCHS}", "model.temporal=none"])
model = build_model(joint)
image = model.normalise(resize(window.face, joint.windows.input_size))
features = model.frame_features(image, window.landmark)
remembered, state = model.temporal(features[None])
prediction = model.output(remembered)[0]
stops = {"faces": window.face, "what the CNN sees": image, "features of the CNN": features,
         "what the GRU remembers": remembered, "valence and arousal": prediction}  # fmt: skip
pd.DataFrame({"shape": {name: str(tuple(stop.shape)) for name, stop in stops.items()}})
# %% [markdown]
# ## The loss by hand
# The loss is one minus the concordance (CCC), averaged over valence and arousal. Concordance falls
# where the prediction does not move with the annotation, moves too much or too little, or is
# shifted. Variances divide by n, and frames that nobody annotated do not count.
# %%
loss = ccc_loss(prediction, window.annotation)
known = window.annotation.isfinite().all(dim=1).numpy()
p, a = prediction.detach().numpy()[known], window.annotation.numpy()[known]
covariance = ((p - p.mean(0)) * (a - a.mean(0))).mean(0)
concordance = 2 * covariance / (p.var(0) + a.var(0) + (p.mean(0) - a.mean(0)) ** 2)
np.testing.assert_allclose(1 - concordance.mean(), loss.item(), rtol=1e-4)
print(f"by hand {1 - concordance.mean():.6f}, by affectkit {loss.item():.6f}")
# %% [markdown]
# ## One step
# The gradient of the loss goes back through the GRU into the first layer of the CNN: both are
# trained jointly. One step against it makes the loss on this window smaller.
# %%
optimizer = torch.optim.AdamW(model.parameters(), lr=joint.training.learning_rate)
loss.backward()
optimizer.step()
first_name, first = next(model.named_parameters())
after = ccc_loss(model(image[None], window.landmark[None])[0][0], window.annotation)
print(f"the gradient of {first_name} has norm {first.grad.norm():.2g}")
print(f"loss before the step {loss.item():.4f}, after it {after.item():.4f}")
# %% [markdown]
# ## The loop
# `fit` does this over and over, and after each epoch it scores the people kept for validation. The
# two nets differ in one key of the recipe. The curves grow while the cell below them works. The
# runs go to a new folder each time; name one in `RUNS` to keep them.
# %%
RUNS = Path(tempfile.mkdtemp(prefix="affectkit-"))
curves = go.FigureWidget([{"name": name, "x": (), "y": ()} for name in ("cnn", "joint")])
dress(curves, LIGHT, width=800, height=300)
curves.update_layout(showlegend=True, xaxis_title="epoch", yaxis_title="CCC, validation")
# %%
for line, recipe in zip(curves.data, (cnn, joint), strict=True):
    fit(recipe, FOLDER / "recordings", RUNS / recipe.name, on_epoch=lambda row, line=line: (
        line.update(x=(*line.x, row["epoch"]), y=(*line.y, row["ccc_mean"]))))  # fmt: skip
# %% [markdown]
# ## The answer
# Both nets now meet people whom neither has seen. The difference is the joint net's CCC minus the
# CNN's, with a 95 % interval that comes from drawing whole people again and again, since the frames
# of one person say the same thing many times. **Memory helps where the interval lies above zero.**
# %%
for run in (RUNS / "cnn", RUNS / "joint"):
    for name in read_contract(run)["splits"]["test"]:
        predict(run, FOLDER / "recordings" / f"{name}.zarr")
scores = {"cnn": evaluate(RUNS / "cnn"), "joint": evaluate(RUNS / "joint")}
scores["difference"] = compare(RUNS / "cnn", RUNS / "joint")
pd.concat({name: table(each).loc["(all)"] for name, each in scores.items()}, axis=1).T
# %% [markdown]
# The joint net is orange, the CNN blue and hollow; the dotted line is the joint net's CCC over all
# frames. A dozen epochs on eight people are too few for an answer: the whole demo has one.
# %%
ccc_dots(scores["joint"], scores["cnn"])
