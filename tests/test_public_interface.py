"""The public names: `affectkit/__init__.pyi` is what users and type checkers see."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import affectkit

STUB = Path(affectkit.__file__).with_suffix(".pyi")
IMPORTS = [node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ImportFrom)]
PUBLIC = {alias.name: f"affectkit.{node.module}" for node in IMPORTS for alias in node.names}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_the_object_of_its_module_and_documented(name):
    found = getattr(affectkit, name)
    assert not isinstance(found, ModuleType)
    assert found is getattr(sys.modules[PUBLIC[name]], name)
    if inspect.isroutine(found) or inspect.isclass(found):
        assert inspect.getdoc(found)


def test_dir_lists_the_public_names():
    assert set(PUBLIC) <= set(dir(affectkit))


def test_no_package_hides_a_public_name():
    """Importing a package named like a function would replace the function in `affectkit`."""
    folder = Path(affectkit.__file__).parent
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules & set(PUBLIC) == set()


def test_importing_affectkit_imports_no_large_package():
    large = "{'torch', 'xarray', 'pandas', 'matplotlib', 'plotly', 'distributed'}"
    code = f"import sys, affectkit; print(sorted({large} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
