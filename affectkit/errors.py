"""Errors that a user can cause and fix: one line each; exit status 2 on the command line."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_NAMES = 30  # listed in an error


class AffectkitError(Exception):
    """States what was expected, what was found, in which file or argument, and what to do."""


class NewerVersionError(AffectkitError):
    """A newer affectkit wrote the file, so this version neither reads nor replaces it."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the known name most similar to `name`, or "" if none is similar."""
    nearest = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}? " if nearest else ""


def unknown(kind: str, name: str, known: Iterable[str]) -> AffectkitError:
    """The error for an unknown name: suggests the most similar known name.

    It lists all known names, or the first `MAX_NAMES` if there are more.
    """
    names = sorted(known)
    hint = did_you_mean(name, names)
    listed = ", ".join(names[:MAX_NAMES])
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return AffectkitError(f"unknown {kind} {name!r}: {hint}expected one of {listed}{more}")


def missing_extra(package: str, extra: str) -> AffectkitError:
    """The error for a package that is not installed: names the extra that includes it."""
    return AffectkitError(
        f"the package {package!r} is not installed; run: pip install 'affectkit[{extra}]'"
    )
