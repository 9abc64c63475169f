# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Does a recurrent network improve the prediction of valence and arousal?
# We train two models: a CNN that predicts each frame separately, and the same CNN trained jointly
# with a GRU that processes the sequence of frames. We look at every step of the training. The last
# figure gives the answer.
#
# The videos are synthetic. **A model trained on synthetic data says nothing about real people:**
# the scores show that the pipeline works. To use your own recordings, make them with
# `affectkit prepare` and set `FOLDER` to the folder that contains the folder `recordings`.
# %%
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import plotly.io as pio
import torch
from IPython.display import display

import affectkit as ak

pio.renderers.default = "plotly_mimetype+notebook"  # saved copies show the figures too
FOLDER = Path(os.environ.get("AFFECTKIT_DEMO", "../data/demo"))
EPOCHS = 15
# %% [markdown]
# If there is no demo, this makes one in about 2 minutes; `affectkit demo --full` makes a larger
# one.
# %%
if not (FOLDER / "recordings").exists():
    line = display("Running the demo", display_id=True)
    ak.run_demo(FOLDER, progress=lambda *now: line.update("{}: {} of {}".format(*now)))
# %% [markdown]
# ## A recording
# A recording is one person in one video, an `xarray.Dataset`. The faces are read from disk when
# they are used.
# %%
recording = ak.open_recording(ak.list_recordings(FOLDER / "recordings")[0])
recording
# %% [markdown]
# ## A window
# Models are trained on windows: consecutive frames of one recording. This is the annotation of the
# first window, and every fifth face. The recipes of the two models differ in one setting, the
# temporal module.
# %%
small = {"training": {"epochs": EPOCHS}, "windows": {"length": 40, "augment": False}}
cnn = ak.read_recipe("quick", name="cnn", model={"temporal": "none"}, **small)
joint = ak.read_recipe("quick", name="joint", model={"temporal": "gru"}, **small)
window = ak.read_window(recording, start=0, length=joint.windows.length)
figure = px.line(recording["annotation"].head(frame=joint.windows.length).to_pandas())
ak.apply_style(figure, ak.LIGHT, width=720, height=260).update_layout(showlegend=True)
# %%
px.imshow(np.hstack(window.face[::5].numpy()), width=720, height=200)
# %% [markdown]
# ## A forward pass
# The CNN computes features of each frame. The GRU processes the features in the order of frames. A
# linear layer, the head, computes valence and arousal. The weights are still random.
# %%
torch.manual_seed(joint.seed)
model = ak.build_model(joint)
image = model.normalise(ak.resize(window.face, joint.windows.input_size))
features = model.frame_features(image, window.landmark)
hidden, state = model.temporal(features[None])
prediction = model.head(hidden)[0]
tensors = {"faces": window.face, "normalised images": image, "features of the CNN": features,
           "hidden states of the GRU": hidden, "valence and arousal": prediction}  # fmt: skip
pd.DataFrame({"shape": {name: str(tuple(tensor.shape)) for name, tensor in tensors.items()}})
# %% [markdown]
# ## The loss
# The loss is one minus the concordance correlation coefficient (CCC), averaged over valence and
# arousal. The CCC is lower if the prediction is not correlated with the annotation, has another
# variance or another mean. Variances divide by n. Frames without annotation are left out.
# %%
loss = ak.ccc_loss(prediction, window.annotation)
known = window.annotation.isfinite().all(dim=1).numpy()
p, a = prediction.detach().numpy()[known], window.annotation.numpy()[known]
covariance = ((p - p.mean(0)) * (a - a.mean(0))).mean(0)
ccc = 2 * covariance / (p.var(0) + a.var(0) + (p.mean(0) - a.mean(0)) ** 2)
print(f"computed here {1 - ccc.mean():.6f}, by affectkit {loss:.6f}")
# %% [markdown]
# ## A step
# The gradient of the loss is propagated through the GRU to the first layer of the CNN: both are
# trained jointly. One step of the optimizer reduces the loss of this window.
# %%
optimizer = torch.optim.AdamW(model.parameters(), lr=joint.training.learning_rate)
loss.backward()
optimizer.step()
name, first = next(model.named_parameters())
after = ak.ccc_loss(model(image[None], window.landmark[None])[0][0], window.annotation)
print(f"gradient of {name}: {first.grad.norm():.2g}; loss {loss:.4f} before, {after:.4f} after")
# %% [markdown]
# ## The training
# `fit` repeats such steps and scores the validation subjects after each epoch: the curves show
# their CCC while the cell below runs. Set `RUNS` to a folder of your own to keep the runs.
# %%
RUNS = Path(tempfile.mkdtemp(prefix="affectkit-"))
curves = go.Figure([go.Scatter(name=name, x=(), y=()) for name in ("cnn", "joint")])
ak.apply_style(curves, ak.LIGHT, width=720, height=300).update_xaxes(range=[0, EPOCHS + 0.5])
colours = [ak.LIGHT.second, ak.LIGHT.prediction]
curves.update_layout(showlegend=True, xaxis_title="epoch", yaxis_title="CCC", colorway=colours)
PLOTLY, PART = "application/vnd.plotly.v1+json", {"full_html": False, "include_plotlyjs": False}
shown = display({PLOTLY: curves.to_plotly_json()}, raw=True, display_id=True)
# %%
for curve, recipe in zip(curves.data, (cnn, joint), strict=True):
    ak.fit(recipe, FOLDER / "recordings", RUNS / recipe.name, on_epoch=lambda row, curve=curve: (
        curve.update(x=(*curve.x, row["epoch"]), y=(*curve.y, row["ccc_mean"])),
        shown.update({PLOTLY: curves.to_plotly_json(), "text/html": curves.to_html(**PART)},
                     raw=True)))  # fmt: skip  # plotly.js is in the first figure
# %% [markdown]
# ## The answer
# Both models predict the held-out subjects. The difference is the score of the joint model minus
# that of the CNN. The 95 % intervals are computed by resampling whole subjects, because frames of
# one subject are similar. **The GRU helps if the interval of the difference is above zero.**
# %%
for run in (RUNS / "cnn", RUNS / "joint"):
    names = ak.read_metadata(run)["splits"]["test"]
    ak.predict(run, [FOLDER / "recordings" / f"{name}.zarr" for name in names])
scores = {"cnn": ak.evaluate(RUNS / "cnn"), "joint": ak.evaluate(RUNS / "joint")}
scores["difference"] = ak.compare(RUNS / "cnn", RUNS / "joint")
pd.concat({name: ak.scores_table(each).loc["(all)"] for name, each in scores.items()}, axis=1).T
# %% [markdown]
# Orange: joint model. Open circles: CNN. More subjects and epochs make the intervals narrower.
# %%
ak.ccc_dots(scores["joint"], scores["cnn"])
