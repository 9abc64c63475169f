"""How the columns of the overview's table look."""

from typing import Any

import streamlit as st

from affectkit.dashboard.tables import WIDE


def columns() -> dict[str, Any]:
    """Streamlit's configuration of each column that needs one."""
    scores = {name: st.column_config.NumberColumn(format="%.3f") for name in WIDE}
    return scores | {
        "recording": st.column_config.TextColumn(width=100),
        "subject": st.column_config.TextColumn(width=80),
        "frames": st.column_config.NumberColumn(format="localized"),
        "no face %": st.column_config.NumberColumn(format="%.1f"),
        "error over time": st.column_config.LineChartColumn(y_min=0, color="grey", width=150),
    }
