"""Every notebook runs from top to bottom on a small demo, each in its own kernel."""

import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from affectkit.lab import copy_notebooks, notebook_sources

LONGEST = 130  # lines of a notebook
LARGEST = 8_000_000  # characters of HTML, 4.8 million of them plotly.js
PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"


def run(source: Path, folder: Path) -> Any:
    """The executed notebook."""
    notebook = jupytext.reads(re.sub(r"(?m)^EPOCHS = \d+", "EPOCHS = 2", source.read_text()), "py")
    client = NotebookClient(
        notebook,
        timeout=300,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    nbformat.validate(notebook)
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def error_output(notebook: Any) -> str:
    return "".join(out["text"] for out in outputs(notebook) if out.get("name") == "stderr")


@pytest.mark.usefixtures("jupyter")
@pytest.mark.parametrize("source", notebook_sources(), ids=lambda source: source.stem)
def test_a_notebook_runs_from_top_to_bottom(source, quick_demo, tmp_path, monkeypatch):
    monkeypatch.setenv("AFFECTKIT_DEMO", str(quick_demo))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where the notebook puts its runs
    notebook = run(source, tmp_path)
    assert error_output(notebook) == ""
    shown = [set(output["data"]) for output in outputs(notebook) if "data" in output]
    assert all("text/html" in kinds for kinds in shown if PLOTLY in kinds), "saved copies show it"
    assert all("image/png" in kinds for kinds in shown if WIDGET in kinds), "saved copies show it"
    pages = [
        output["data"].get("text/html", "") for output in outputs(notebook) if "data" in output
    ]
    assert sum(map(len, pages)) < LARGEST, "plotly.js is there once"
    last = notebook.cells[-1]["outputs"][-1]["data"]
    assert {"image/png", PLOTLY} & set(last), "the last cell is a figure"


@pytest.mark.parametrize("source", notebook_sources(), ids=lambda source: source.stem)
def test_a_notebook_is_short_asks_one_question_and_defines_no_function(source):
    text = source.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert "def " not in text
    assert re.findall(r"affectkit[.\w]* import|import affectkit[.\w]*.*", text) == [
        "import affectkit as ak"
    ]
    titles = [line for line in text.splitlines() if line.startswith("# # ")]
    assert len(titles) == 1
    assert titles[0].endswith("?")


def test_copies_are_notebooks_and_are_not_overwritten(tmp_path):
    paths = copy_notebooks(tmp_path)
    assert [path.stem for path in paths] == [source.stem for source in notebook_sources()]
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        assert notebook.metadata["kernelspec"]["name"] == "python3"
        assert notebook.cells[0]["cell_type"] == "markdown"
    paths[0].write_text("changed")
    copy_notebooks(tmp_path)
    assert paths[0].read_text() == "changed"
