"""Help texts, and the options that texts of the package name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import affectkit
from affectkit.cli.main import app

COMMANDS = dict(get_command(app).commands)
COMMANDS |= {
    f"{name} {inner}": command
    for name, group in COMMANDS.items()
    for inner, command in getattr(group, "commands", {}).items()
}
# options of pip, dask, JupyterLab and Streamlit that texts of affectkit contain
OF_OTHER_TOOLS = {
    "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps", "--only-binary",
    "--retries", "--timeout", "--dest", "--force-reinstall", "--nworkers", "--nthreads",
    "--allow-root", "--server", "--browser",
}  # fmt: skip


def options_of(command: str) -> set[str]:
    parameters = COMMANDS[command].params
    return {name for each in parameters for name in (*each.opts, *each.secondary_opts)} | {"--help"}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and content of each text of a module, without docstrings; a value is shown as X."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in node.values}  # fmt: skip
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in inner | alone:
            yield node.lineno, str(node.value)


def named_options() -> Iterator[tuple[str, str, str]]:
    """Place, command (or "" if no command is named before it) and name of each named option."""
    root = Path(affectkit.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for line, text in texts(path):
            for option in re.finditer(r"(?<![\w-])--[a-z][a-z-]*", text):
                words = re.findall(r"affectkit ([a-z]+)( [a-z]+)?", text[: option.start()])
                names = ["".join(words[-1]), words[-1][0]] if words else []
                command = next((name for name in names if name in COMMANDS), "")
                yield f"{path.relative_to(root)}:{line}", command, option[0]


def test_every_option_that_a_text_names_exists():
    everywhere = {"--debug"}.union(*map(options_of, COMMANDS))
    found = [each for each in named_options() if each[2] not in OF_OTHER_TOOLS]
    assert len(found) > 20
    for place, command, option in found:
        assert option in (options_of(command) if command else everywhere), (place, command, option)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_prints_every_text_whole(call, name, monkeypatch):
    """Brackets would be lost if they were read as markup."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 1000)
    monkeypatch.setenv("COLUMNS", "1000")
    status, out, err = call(*name.split(), "--help")
    assert (status, err) == (0, "")
    shown = " ".join(out.split())
    parts = (COMMANDS[name].help or "").split("\n\n")
    for text in [*parts, *(getattr(each, "help", None) or "" for each in COMMANDS[name].params)]:
        assert " ".join(text.split()) in shown
