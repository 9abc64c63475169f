"""Every direct dependency has a lower bound, and `make lowest` tests it."""

import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
REQUIREMENTS = [
    Requirement(line)
    for line in chain(
        PROJECT["dependencies"],
        *PROJECT["optional-dependencies"].values(),
        *PYPROJECT["dependency-groups"].values(),
    )
    if not line.startswith(f"{PROJECT['name']}[")
]


def test_every_dependency_has_one_lower_bound_and_no_upper_bound():
    operators = {each.name: [s.operator for s in each.specifier] for each in REQUIREMENTS}
    assert {name: found for name, found in operators.items() if found != [">="]} == {}


def test_the_lowest_version_of_every_dependency_is_tested_except_torch():
    command = [sys.executable, str(ROOT / ".ci" / "lowest_versions.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lowest = [Requirement(line) for line in done.stdout.splitlines()]
    expected = {each.name for each in REQUIREMENTS} - {"torch", "torchvision"}
    assert sorted(each.name for each in lowest) == sorted(expected)
    allowed = {each.name: each.specifier for each in REQUIREMENTS}
    for each in lowest:
        (version,) = (one.version for one in each.specifier)
        assert version in allowed[each.name]
