import re
import shutil
import subprocess
from importlib.resources import files

import pytest

from affectkit.video_player import SCRIPTS, module, style


def test_all_scripts_are_in_the_module_and_one_default_is_exported():
    found = {item.name for item in (files("affectkit.video_player") / "js").iterdir()}
    assert found == set(SCRIPTS)
    assert module().count("export default") == 1
    assert "import " not in module()


def test_the_script_never_writes_html():
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in module()


def test_no_name_is_declared_twice():
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", module(), re.MULTILINE)
    assert len(names) == len(set(names))


def test_every_colour_of_the_script_is_in_the_style_sheet():
    roles = re.search(r"const ROLES = \[(.*?)\]", module()).group(1)
    for role in re.findall(r'"(\w+)"', roles):
        assert style().count(f"--{role}:") == 2, role


def test_module_parses(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    path = tmp_path / "player.mjs"
    path.write_text(module())
    subprocess.run([node, "--check", path], check=True)
