import streamlit as st

from affectkit.dashboard import loading, markup, tables
from affectkit.dashboard.widgets import table_columns
from affectkit.figures import affect_density, ccc_dots
from affectkit.figures.style import palette
from affectkit.recording import AFFECT
from affectkit.run import read_metadata

NO_TOOLBAR = {"displayModeBar": False}

run = loading.find_run(st.session_state["run"])
split, other = st.session_state["split"], st.session_state.get("compare", "none")
table, scores = loading.overview_table(run, split), loading.scores(run, split)
if table.empty:
    todo = f"{run} has no predictions. Run: affectkit predict {run} RECORDINGS"
    st.error(markup.escape_markdown(todo))
    st.stop()
dark = st.context.theme.type == "dark"
other_scores = None if other == "none" else loading.scores(loading.find_run(other), split)

st.html(markup.heading(run.name, markup.run_parts(read_metadata(run), table, split)))
pooled = [tables.score(scores, split, "(all)", affect) for affect in AFFECT]
if all(pooled):
    others = [
        other_scores is not None and tables.score(other_scores, split, "(all)", affect)
        for affect in AFFECT
    ]
    st.html(markup.pooled_scores(pooled, others, other, palette(dark)))
elif split == loading.ALL:
    st.caption("Pooled scores are computed per split: select a split in the sidebar.")
else:
    todo = f"No scores of the split {split!r}. Run: affectkit evaluate {run} --split {split}"
    st.caption(markup.escape_markdown(todo))

left, right = st.columns([746, 322], gap="medium")
with left, st.container(gap="xsmall"):
    order = "mean of RMSE V and RMSE A, highest first · select a recording to open it"
    st.html(markup.section("Recordings by error", order))
    shown = table if split == loading.ALL else table.drop(columns="split", errors="ignore")
    picked = st.dataframe(
        shown, hide_index=True, row_height=24, height=min(370, 34 + 24 * len(shown)),
        column_config=table_columns(), placeholder="–", key=f"table-{run.name}-{split}",
        on_select="rerun", selection_mode="single-cell",
    )  # fmt: skip
    if picked.selection.cells:
        name = shown["recording"].iloc[picked.selection.cells[0][0]]
        st.switch_page("views/recording.py", query_params={"recording": name})
    ordered = tables.in_table_order(scores, table)
    if not ordered.empty:
        key = markup.ccc_dots_key(ordered, other, palette(dark))
        st.html(markup.section("CCC of each recording", key))
        dots = ccc_dots(ordered, other_scores, dark=dark)
        st.plotly_chart(dots, theme=None, width="content", config=NO_TOOLBAR)
with right, st.container(gap="xsmall"):
    st.html(markup.section("Distribution", f"{int(table['frames'].sum()):,} frames"))
    density = affect_density(*loading.pooled(run, split), dark=dark)
    st.plotly_chart(density, theme=None, width="content", config=NO_TOOLBAR)
