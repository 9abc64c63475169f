import streamlit as st

from affectkit.dashboard import loading, tables, texts
from affectkit.dashboard.columns import columns
from affectkit.dashboard.strips import score_row
from affectkit.figures import affect_density, ccc_dots
from affectkit.figures.style import palette
from affectkit.recording import AFFECT

PLAIN = {"displayModeBar": False}

run = loading.run_named(st.session_state["run"])
split, other = st.session_state["split"], st.session_state.get("compare", "none")
contract, table, scores = (
    loading.contract(run),
    loading.table(run, split),
    loading.scores(run, split),
)
if table.empty:
    st.error(texts.plain(f"{run} has no predictions. Run: affectkit predict {run} RECORDINGS"))
    st.stop()
dark = st.context.theme.type == "dark"
compared = None if other == "none" else loading.scores(loading.run_named(other), split)

st.html(texts.heading(run.name, texts.run_parts(contract, table, split)))
pooled = [tables.score(scores, split, "(all)", affect) for affect in AFFECT]
if all(pooled):
    others = [compared is not None and tables.score(compared, split, "(all)", a) for a in AFFECT]
    st.html(score_row(pooled, others, other, palette(dark)))
elif split == loading.ALL:
    st.caption("Pooled scores belong to one split: choose it in the sidebar.")
else:
    todo = f"No scores of {split!r} yet. Run: affectkit evaluate {run} --split {split}"
    st.caption(texts.plain(todo))

left, right = st.columns([746, 322], gap="medium")
with left, st.container(gap="xsmall"):
    order = "by mean of RMSE V and RMSE A · select a recording to open it"
    st.html(texts.section("Recordings, worst first", order))
    shown = table if split == loading.ALL else table.drop(columns="split", errors="ignore")
    picked = st.dataframe(
        shown, hide_index=True, row_height=24, height=min(370, 34 + 24 * len(shown)),
        column_config=columns(), placeholder="–", key=f"table-{run.name}-{split}",
        on_select="rerun", selection_mode="single-cell",
    )  # fmt: skip
    if picked.selection.cells:
        name = shown["recording"].iloc[picked.selection.cells[0][0]]
        st.switch_page("views/recording.py", query_params={"recording": name})
    ordered = tables.for_dots(scores, table)
    if not ordered.empty:
        key = texts.dots_key(ordered, other, palette(dark))
        st.html(texts.section("CCC of each recording", key))
        dots = ccc_dots(ordered, compared, dark=dark)
        st.plotly_chart(dots, theme=None, width="content", config=PLAIN)
with right, st.container(gap="xsmall"):
    st.html(texts.section("Where the values lie", f"{int(table['frames'].sum()):,} frames"))
    density = affect_density(*loading.pooled(run, split), dark=dark)
    st.plotly_chart(density, theme=None, width="content", config=PLAIN)
