"""Guards docs/architecture.md: imports point down, and units of one floor do not see each other."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "affectkit"
FLOORS = [
    ["errors"],
    ["files"],
    ["recording"],
    ["run"],
    ["card", "metrics"],
    ["signals", "video"],
    ["faces"],
    ["datasets", "models"],
    ["training"],
    ["checking", "prepare"],
    ["describing", "predict", "evaluation", "attribution", "doctor", "submission"],
    ["figures", "overlay", "paper", "player"],
    ["demo", "bench"],
    ["dashboard", "lab"],
    ["cli"],
]
FLOOR = {unit: number for number, units in enumerate(FLOORS) for unit in units}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Units of affectkit that a module imports, inside functions too."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == "affectkit" and len(part) > 1} & set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    unit = unit_of(path)
    assert unit in FLOOR, f"{unit} has no floor yet: give it one here and in docs/architecture.md"
    wrong = {other for other in imported(path) - {unit} if FLOOR[other] >= FLOOR[unit]}
    assert not wrong, f"{unit} imports {wrong}, not below it"


@pytest.mark.parametrize(
    "module",
    [
        "affectkit",
        "affectkit.card",
        "affectkit.checking",
        "affectkit.evaluation",
        "affectkit.figures",
        "affectkit.paper",
        "affectkit.player",
        "affectkit.submission",
    ],
)
def test_looking_needs_no_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or f"{module} imports torch"
