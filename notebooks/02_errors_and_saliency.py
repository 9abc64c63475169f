# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Where does the model make its largest error, and which pixels caused the prediction?
# We find the recording with the largest error and its worst segment, and look at the pixels that
# changed the prediction in this segment. The last figure, made for a paper, is the answer.
#
# The videos are synthetic, and the model was trained on synthetic data only. **Its saliency says
# nothing about real faces.** To use your own data, set `FOLDER` to a folder with `recordings` and
# with a run in `runs`, after `affectkit predict`, `evaluate` and `attribute`.
# %%
import os
from pathlib import Path

import pandas as pd
import plotly.express as px
import plotly.io as pio
from IPython.display import display

import affectkit as ak

# %matplotlib inline
pio.renderers.default = "plotly_mimetype+notebook"  # saved copies show the figures too
FOLDER = Path(os.environ.get("AFFECTKIT_DEMO", "../data/demo"))
# %% [markdown]
# If there is no demo, this makes one in about 2 minutes; `affectkit demo --full` makes a larger
# one.
# %%
if not (FOLDER / "runs" / "joint" / "scores.csv").exists():
    line = display("Running the demo", display_id=True)
    ak.run_demo(FOLDER, progress=lambda *now: line.update("{}: {} of {}".format(*now)))
RUN = FOLDER / "runs" / "joint"
# %% [markdown]
# ## The recording with the largest error
# These are the held-out subjects, lowest CCC first, with 95 % intervals. The dotted line is the CCC
# over all their frames.
# %%
scores = ak.read_scores(RUN).query("split == 'test'")
ccc = scores.query("metric == 'ccc' and affect == 'mean'").set_index("recording")["value"]
order = ccc.drop(["(all)", "(mean)"]).sort_values()
ak.ccc_dots(scores.sort_values("recording", key=lambda names: names.map(order)))
# %%
worst = order.index[0]
recording = ak.open_recording(ak.recording_path(RUN, worst))
prediction = ak.open_prediction(RUN, worst)
attribution = ak.open_attribution(RUN, "gradient_x_input", worst)
ak.scores_table(scores).loc[[worst, "(all)"]]
# %% [markdown]
# ## Its worst segment
# A segment is a part of the recording with a large share of its squared error. The cause is
# named after the correction that removes most of this error: `bias`, `range`, `delay` or `jump`, or
# `other` if none does.
# %%
segments = ak.worst_segments(recording, prediction)
pd.DataFrame(segments).round(2)
# %%
segment = segments[0]
time, frames = recording["time"], recording["frame"]
traces = pd.DataFrame({
    "annotation": recording["annotation"].sel(affect=segment.target).values,
    "prediction": prediction["prediction"].sel(affect=segment.target).values,
}, index=time.values)  # fmt: skip
colours = [ak.LIGHT.annotation, ak.LIGHT.prediction]
figure = px.line(traces, range_y=[-1, 1], color_discrete_sequence=colours)
ak.apply_style(figure, ak.LIGHT, width=720, height=280).update_layout(showlegend=True)
figure.update_layout(xaxis_title="time (s)", yaxis_title=segment.target, legend_title="")
figure.add_vrect(segment.start, segment.stop, fillcolor=colours[1], opacity=0.15, line_width=0)
# %% [markdown]
# ## The pixels that changed the prediction
# Gradient times input is how much each pixel of a frame raised or lowered the prediction of this
# frame. The bars are its sums over the regions of the face. The ticks are the sums that each region
# would have if all pixels contributed equally.
# %%
inside = frames[(time >= segment.start).values & (time <= segment.stop).values]
ak.region_bars(attribution.sel(frame=inside), width_inches=7)
# %% [markdown]
# ## The segment in the video player
# The player shows the frame in the middle of the segment. Click on it and use the arrow keys to go
# to other frames; `?` shows all keys.
# %%
player = ak.player(recording, prediction, attribution, frame=int(inside[inside.size // 2]))
player
# %% [markdown]
# `frame` is the current frame, and can be set. This shows the frame with the largest error.
# %%
error = abs(prediction["prediction"] - recording["annotation"]).sel(affect=segment.target)
player.frame = int(frames[error.fillna(0).argmax("frame")])
# %% [markdown]
# ## The answer, as a figure for a paper
# Seven frames of the segment, the pixels that changed the prediction, all on one colour scale, and
# the traces of the whole recording. The PDF has embedded fonts; a CSV file next to it contains the
# data.
# %%
chosen = inside[:: max(1, inside.size // 7)][:7].values
strip = ak.film_strip(recording, prediction, attribution, chosen, target=segment.target)
path = FOLDER / "figures" / f"worst_segment_{worst}.pdf"
ak.save_figure(strip, path, ak.traces_table(recording, prediction), overwrite=True)
print(f"{path}: {worst}, {segment.target}, {segment.start:.1f} to {segment.stop:.1f} s")
strip
