"""Modules that only show results import no torch; import-linter (make lint) checks the layers."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "affectkit",
        "affectkit.card",
        "affectkit.checking",
        "affectkit.evaluation",
        "affectkit.figures",
        "affectkit.paper",
        "affectkit.video_player",
        "affectkit.submission",
    ],
)
def test_a_module_that_shows_results_imports_no_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or f"{module} imports torch"
