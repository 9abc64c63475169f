"""A sample of the campaign of tests/damage.py; `python -m tests.damage` runs it whole."""

import os
import subprocess
import sys


def test_no_damaged_file_gives_a_traceback_a_signal_or_a_change_elsewhere():
    done = subprocess.run(
        [sys.executable, "-m", "tests.damage", "--cases", "2", "--seed", "0"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("2 of ")
