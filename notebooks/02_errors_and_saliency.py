# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Where does the net err most, and what in the face did it look at?
# We go from all recordings to the worst one, from there to its worst moment, and look at the
# pixels that moved the prediction then. The last figure, ready for a paper, is the answer.
#
# The people in these videos are drawn, and the net has seen no others. **What it looks at here says
# nothing about real faces.** For your own, let `FOLDER` hold `recordings` and a run in `runs` with
# `affectkit predict`, `evaluate` and `attribute` done.
# %%
import os
from pathlib import Path

import pandas as pd
import plotly.express as px
from IPython.display import display

from affectkit import open_recording
from affectkit.demo import QUICK, demo
from affectkit.evaluation import table
from affectkit.figures import ccc_dots
from affectkit.figures.style import LIGHT, dress
from affectkit.paper import film_strip, region_bars, save_figure, series
from affectkit.player.segments import worst_segments
from affectkit.player.widget import player
from affectkit.run import open_attribution, open_prediction, read_scores, recording_store

# %matplotlib inline
FOLDER = Path(os.environ.get("AFFECTKIT_DEMO", "../data/demo"))
# %% [markdown]
# Where there is no demo, a small one is made in a minute; `affectkit demo` makes a larger one.
# %%
if not (FOLDER / "runs" / "joint" / "scores.csv").exists():
    FOLDER = FOLDER.with_name("demo-quick")
    said = display("Drawing people", display_id=True)
    demo(FOLDER, QUICK, progress=lambda *state: said.update("{}: {} of {}".format(*state)))
RUN = FOLDER / "runs" / "joint"
# %% [markdown]
# ## The worst recording
# These are the people whom the net has not seen in training, the worst on top, with 95 % intervals.
# A dotted line marks the CCC over all their frames.
# %%
scores = read_scores(RUN).query("split == 'test'")
mean = scores.query("metric == 'ccc' and affect == 'mean'").set_index("recording")["value"]
order = mean.drop(["(all)", "(mean)"]).sort_values()
ccc_dots(scores.sort_values("recording", key=lambda names: names.map(order)))
# %%
worst = order.index[0]
recording = open_recording(recording_store(RUN, worst))
prediction = open_prediction(RUN, worst)
attribution = open_attribution(RUN, "gradient_x_input", worst)
table(scores).loc[[worst, "(all)"]]
# %% [markdown]
# ## Its worst moment
# A segment is a stretch with a high share of the recording's squared error. The cause is what, when
# mended alone, takes away more than half of that error.
# %%
segments = worst_segments(recording, prediction)
pd.DataFrame(segments).round(2)
# %%
moment = segments[0]
time, frames = recording["time"], recording["frame"]
lines = pd.DataFrame({
    "annotation": recording["annotation"].sel(affect=moment.target).values,
    "prediction": prediction["prediction"].sel(affect=moment.target).values,
}, index=time.values)  # fmt: skip
colours = [LIGHT.annotation, LIGHT.prediction]
figure = px.line(lines, range_y=[-1, 1], color_discrete_sequence=colours)
dress(figure, LIGHT, width=720, height=280).update_layout(showlegend=True, legend_title="")
figure.update_layout(xaxis_title="time (s)", yaxis_title=moment.target)
figure.add_vrect(moment.start, moment.stop, fillcolor=LIGHT.prediction, opacity=0.15, line_width=0)
# %% [markdown]
# ## The pixels that moved the prediction
# Gradient times input says how much each pixel of a frame raised or lowered the prediction on that
# frame. Summed over the regions of the face, it says where the net looked; the ticks are what a
# region would get for its size alone.
# %%
inside = frames[(time >= moment.start).values & (time <= moment.stop).values]
region_bars(attribution.sel(frame=inside), width_inches=7)
# %% [markdown]
# ## The moment in the player
# The player is at the frame in the middle of the moment. Click into it and step with the arrow
# keys; `?` shows all keys.
# %%
middle = int(inside[inside.size // 2])
shown = player(recording, prediction, attribution, frame=middle)
shown
# %% [markdown]
# The frame can be read and set from Python, too: this goes to the frame with the largest error.
# %%
error = abs(prediction["prediction"] - recording["annotation"]).sel(affect=moment.target)
shown.frame = int(frames[error.fillna(0).argmax("frame")])
# %% [markdown]
# ## The answer, as a figure for a paper
# Seven frames across the moment, the pixels that moved the prediction on one printed scale, and the
# whole recording below. The PDF has embedded fonts; a table of what it shows lies beside it.
# %%
chosen = inside[:: max(1, inside.size // 7)][:7].values
strip = film_strip(recording, prediction, attribution, chosen, target=moment.target)
path = FOLDER / "figures" / f"worst_moment_{worst}.pdf"
save_figure(strip, path, series(recording, prediction))
print(f"Written to {path}: {worst}, {moment.target}, {moment.start:.1f} to {moment.stop:.1f} s.")
strip
