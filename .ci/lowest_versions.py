"""Print the lowest version of every direct dependency in pyproject.toml, as constraints of pip."""

import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

LARGE = {"torch", "torchvision"}  # 3 GB for each version, so the newest are tested


def main() -> None:
    """Print `name==version` for each dependency with a lower bound, except `LARGE`."""
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    extras = pyproject["project"]["optional-dependencies"].values()
    groups = pyproject["dependency-groups"].values()
    for line in chain(pyproject["project"]["dependencies"], *extras, *groups):
        requirement = Requirement(line)
        lower = [each.version for each in requirement.specifier if each.operator == ">="]
        if lower and requirement.name not in LARGE:
            print(f"{requirement.name}=={lower[0]}")


if __name__ == "__main__":
    main()
