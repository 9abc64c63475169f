import streamlit as st

from affectkit import results
from affectkit.dashboard import loading, markup, serving, tables
from affectkit.dashboard.widgets import choose, show_player
from affectkit.recording import AFFECT
from affectkit.run import read_metadata, warning
from affectkit.video_player.segments import opening_frame

run, split = loading.find_run(st.session_state["run"]), st.session_state["split"]
names = loading.recording_names(run, split)
if not names:
    todo = f"{run} has no predictions of {split!r}. Run: affectkit predict {run} RECORDINGS"
    st.error(markup.escape_markdown(todo))
    st.stop()
name = choose("Recording", names, "recording")
recording, prediction = loading.open_results(run, name)
methods = results.list_methods(run, name)
method = methods[0] if methods else ""
if len(methods) > 1:
    method = choose("Attribution", methods, "method")
loading.open_attribution(run, name, method)  # if it is damaged, the page shows the error
metadata, scores = read_metadata(run), loading.scores(run)
own_split = tables.split_of(metadata, name)
ccc = [tables.score(scores, own_split, name, affect) for affect in AFFECT]
parts = markup.recording_parts(
    recording, own_split, [row for row in ccc if row], tables.error_rank(scores, own_split, name)
)
st.html(markup.heading(name, parts))
if (text := warning(metadata)) and own_split == tables.UNKNOWN_SPLIT:
    st.warning(markup.escape_markdown(f"This model was {text}."))

addresses, missing_video = serving.serve_recording(run, name, method)
frame = opening_frame(recording, loading.segments(run, name))
messages = {
    "video": missing_video,
    "saliency": f"No saliency of TARGET. Run: affectkit attribute {run}",
}
show_player(addresses, messages, frame=frame, recording=name)
