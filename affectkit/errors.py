"""Errors a user can cause and mend: one line each, exit status 2 on the command line."""

from collections.abc import Iterable
from difflib import get_close_matches


class AffectkitError(Exception):
    """What was expected, what was got, in which file or argument, and what to do about it."""


def unknown(kind: str, name: str, known: Iterable[str]) -> AffectkitError:
    """The error for a name that is not in a registry: lists the known ones, nearest first named."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return AffectkitError(f"unknown {kind} {name!r}: {hint}known are {', '.join(names)}")


def missing_extra(package: str, extra: str) -> AffectkitError:
    """The error for a package that is not installed: names the extra that brings it."""
    return AffectkitError(
        f"the package {package!r} is not installed; run: pip install 'affectkit[{extra}]'"
    )
