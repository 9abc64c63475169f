"""Read text files in the encodings that annotation tools and spreadsheets write."""

import codecs
import re
from pathlib import Path

from affectkit.errors import AffectkitError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}
START = 4096  # bytes by which a file is recognised as text
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # characters that no text contains
SHOWN_LINES, SHOWN_CHARACTERS = 3, 60


def read_text(path: Path) -> str:
    r"""The text of a file, with lines that end in `\n`.

    The encoding is UTF-8 or UTF-16, with or without a byte order mark, otherwise Windows-1252.

    Raises:
        AffectkitError: it cannot be opened, or is not text.
    """
    return _decode(path)[0]


def describe_text(path: Path) -> str:
    """The encoding and the first lines of a text file, for errors."""
    text, encoding = _decode(path)
    lines = [line.strip()[:SHOWN_CHARACTERS] for line in text.split("\n") if line.strip()]
    shown = " / ".join(map(repr, lines[:SHOWN_LINES]))
    return f"{NAMES[encoding]} text that begins with {shown}" if shown else "an empty file"


def _decode(path: Path) -> tuple[str, str]:
    """The text of a file, and its encoding."""
    try:
        with path.open("rb") as file:
            content = file.read(START)
            encoding = _text_encoding(content)
            if encoding:
                content += file.read()
    except OSError as error:
        raise AffectkitError(f"{path} cannot be read: {error.strerror}") from None
    for candidate in (encoding, "cp1252") if encoding == "utf-8" else (encoding,):
        try:
            text = content.decode(candidate) if candidate else "\0"
        except UnicodeDecodeError:
            continue
        if not CONTROL.search(text[:START]):
            return text.replace("\r\n", "\n").replace("\r", "\n"), candidate
    kind = ", an Excel or ZIP file" if content.startswith(b"PK") else ""
    raise AffectkitError(
        f"{path} is not a text file: expected a table such as CSV, got bytes that begin with "
        f"{content[:8]!r}{kind}; export the table as CSV"
    )


def _text_encoding(start: bytes) -> str:
    """The encoding by the first bytes of a file; "" if it is not text."""
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = start[first::2].count(0), start[1 - first :: 2].count(0)
        if zeros > len(start) / 4 and not others:
            return name
    return "" if 0 in start else "utf-8"
