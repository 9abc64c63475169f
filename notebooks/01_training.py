# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Does memory help a net to read affect from a face?
# We train a CNN that sees every frame by itself, and the same CNN jointly with a GRU that remembers
# the frames before, and look at all that training is made of. The last figure gives the answer.
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
from affectkit.demo import QUICK, demo
from affectkit.evaluation import table
from affectkit.figures import ccc_dots
from affectkit.figures.style import LIGHT, dress
from affectkit.models.losses import ccc_loss
from affectkit.recording import list_recordings
from affectkit.run import read_contract
from affectkit.training.checkpoint import build_model
from affectkit.training.windows import read_window, resize

FOLDER = Path(os.environ.get("AFFECTKIT_DEMO", "../data/demo"))
EPOCHS = 15
# %% [markdown]
# Where there is no demo, a small one is made in a minute; `affectkit demo` makes a larger one.
# %%
if not (FOLDER / "recordings").exists():
    FOLDER = FOLDER.with_name("demo-quick")
    said = display("Drawing people", display_id=True)
    demo(FOLDER, QUICK, progress=lambda *state: said.update("{}: {} of {}".format(*state)))
# %% [markdown]
# ## One recording
# A recording is one person in one video, a labelled dataset. Its faces stay on disk until used.
# %%
recording = open_recording(list_recordings(FOLDER / "recordings")[0])
recording
# %% [markdown]
# ## One window
# The nets are trained on windows: frames of one recording, one after the other. These are the
# annotation of the first one and every fifth of its faces. The recipes of the nets differ in a key.
# %%
small = [f"training.epochs={EPOCHS}", "windows.length=40", "windows.augment=false"]
cnn = read_recipe("quick", [*small, "name=cnn", "model.temporal=none"])
joint = read_recipe("quick", [*small, "name=joint", "model.temporal=gru"])
window = read_window(recording, start=0, length=joint.windows.length)
figure = px.line(recording["annotation"].head(frame=joint.windows.length).to_pandas())
dress(figure, LIGHT, width=720, height=260).update_layout(showlegend=True, legend_title="")
# %%
fromarray(np.hstack(window.face[::5].numpy()))
# %% [markdown]
# ## One forward pass
# The CNN turns each frame into features, the GRU goes over them from frame to frame, and a last
# layer reads valence and arousal from what the GRU remembers. Its weights are still random.
# %%
torch.manual_seed(joint.seed)
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
print(f"by hand {1 - concordance.mean():.6f}, by affectkit {loss:.6f}")
# %% [markdown]
# ## One step
# The gradient of the loss goes back through the GRU into the first layer of the CNN: both are
# trained jointly. One step against it makes the loss on this window smaller.
# %%
optimizer = torch.optim.AdamW(model.parameters(), lr=joint.training.learning_rate)
loss.backward()
optimizer.step()
name, first = next(model.named_parameters())
after = ccc_loss(model(image[None], window.landmark[None])[0][0], window.annotation)
print(f"gradient of {name}: {first.grad.norm():.2g}; loss {loss:.4f} before, {after:.4f} after")
# %% [markdown]
# ## The loop
# `fit` does this over and over, and after each epoch scores the people kept for validation: their
# CCC is what the curves show while the cell below works. Name a folder in `RUNS` to keep the runs.
# %%
RUNS = Path(tempfile.mkdtemp(prefix="affectkit-"))
curves = go.FigureWidget([go.Scatter(name=net, x=(), y=()) for net in ("cnn", "joint")])
dress(curves, LIGHT, width=720, height=300).update_xaxes(range=[0, EPOCHS + 0.5], title="epoch")
curves.update_layout(showlegend=True, yaxis_title="CCC", colorway=[LIGHT.second, LIGHT.prediction])
# %%
for line, recipe in zip(curves.data, (cnn, joint), strict=True):
    fit(recipe, FOLDER / "recordings", RUNS / recipe.name, on_epoch=lambda row, line=line: (
        line.update(x=(*line.x, row["epoch"]), y=(*line.y, row["ccc_mean"]))))  # fmt: skip
# %% [markdown]
# ## The answer
# Both nets now meet people whom neither has seen. The difference is the joint net minus the CNN.
# The 95 % intervals come from drawing whole people again and again, since the frames of one person
# are much alike. **Memory helps where the interval of the difference lies above zero.**
# %%
for run in (RUNS / "cnn", RUNS / "joint"):
    for name in read_contract(run)["splits"]["test"]:
        predict(run, FOLDER / "recordings" / f"{name}.zarr")
scores = {"cnn": evaluate(RUNS / "cnn"), "joint": evaluate(RUNS / "joint")}
scores["difference"] = compare(RUNS / "cnn", RUNS / "joint")
pd.concat({name: table(each).loc["(all)"] for name, each in scores.items()}, axis=1).T
# %% [markdown]
# The joint net is orange, the CNN hollow. More people and more epochs make the intervals narrower.
# %%
ccc_dots(scores["joint"], scores["cnn"])
