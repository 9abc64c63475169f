"""What the README shows has to exist."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from affectkit.cli.main import app
from affectkit.datasets import DATASETS
from affectkit.training.recipe import parse_overrides, read_recipe

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "data/README.md", "docs/architecture.md"]


def code_lines(page: str) -> list[str]:
    blocks = re.findall(
        r"^```\w*\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.S | re.M
    )
    return [line for block in blocks for line in block.splitlines()]


def shown_commands() -> list[tuple[str, list[str]]]:
    """Each command of affectkit that is shown, with its options."""
    lines = [line.split("#")[0] for page in PAGES for line in code_lines(page)]
    words = [line.split() for line in lines if line.startswith("affectkit ")]
    return [(line[1], [word for word in line if word.startswith("--")]) for line in words]


@pytest.mark.parametrize(("name", "options"), shown_commands())
def test_shown_commands_and_their_options_exist(name, options):
    commands = get_command(app).commands
    assert name in commands
    group = getattr(commands[name], "commands", {})
    parameters = [*commands[name].params, *(p for each in group.values() for p in each.params)]
    known = {option for parameter in parameters for option in parameter.opts}
    assert set(options) <= known


def shown_trainings() -> list[tuple[str, list[str]]]:
    """Each shown recipe that is shipped or named, with what is set in it."""
    lines = [line.split("#")[0].split() for page in PAGES for line in code_lines(page)]
    words = [line for line in lines if line[:2] == ["affectkit", "train"] and line[2].islower()]
    return [(w[2], [w[i + 1] for i, word in enumerate(w) if word == "--set"]) for w in words]


@pytest.mark.parametrize(("recipe", "settings"), shown_trainings())
def test_shown_recipes_and_settings_are_valid(recipe, settings):
    assert read_recipe(recipe, **parse_overrides(settings))


def test_every_dataset_has_a_line_and_its_commands():
    page = (ROOT / "data/README.md").read_text(encoding="utf-8")
    listed = {name for row in re.findall(r"^\|[^|]*\|([^|]*)\|", page, re.M)
              for name in re.findall(r"`([\w-]+)`", row)}  # fmt: skip
    assert listed == set(DATASETS)
    commands = "\n".join(code_lines("data/README.md"))
    for name in set(DATASETS) - {"synthetic"}:
        assert f"affectkit prepare {name} " in commands


def test_shown_targets_exist():
    shown = {line.split()[1] for line in code_lines("README.md") if line.startswith("make ")}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test"} <= shown <= targets


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert all(((ROOT / page).parent / link).exists() for link in links), links


def test_shown_extras_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    assert shown == set(extras) - {"all"}
