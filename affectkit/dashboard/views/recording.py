import streamlit as st

from affectkit.dashboard import loading, tables, texts
from affectkit.dashboard.choosing import choose
from affectkit.dashboard.mounting import show_player
from affectkit.errors import AffectkitError
from affectkit.player.segments import opening_frame
from affectkit.recording import AFFECT

run, split = loading.run_named(st.session_state["run"]), st.session_state["split"]
names = loading.names(run, split)
if not names:
    todo = f"{run} has no predictions in {split!r}. Run: affectkit predict {run} RECORDINGS"
    st.error(texts.plain(todo))
    st.stop()
name = choose("Recording", names, "recording")
try:
    recording, prediction, attribution = loading.opened(run, name)
except AffectkitError as error:
    hint = f"Start the dashboard with --recordings DIR, where {name}.zarr lies."
    st.error(texts.plain(f"{error}. {hint}"))
    st.stop()

contract, scores = loading.contract(run), loading.scores(run)
home = tables.split_of(contract, name)
own = [tables.score(scores, home, name, affect) for affect in AFFECT]
parts = texts.recording_parts(
    recording, home, [row for row in own if row], tables.place_of(scores, home, name)
)
st.html(texts.heading(name, parts))
if texts.drawn_people(contract) and home == "–":
    st.warning("This model has only seen drawn people: it knows nothing about real ones.")

told, missing = loading.offer(run, name)
frame = opening_frame(recording, loading.segments(run, name))
notes = {
    "video": missing,
    "saliency": f"No saliency for TARGET yet. Run: affectkit attribute {run.name} {name}",
}
show_player(told, notes, frame=frame, recording=name)
