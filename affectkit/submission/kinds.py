"""The challenges that affectkit writes submissions for."""

from affectkit.errors import unknown
from affectkit.submission.abaw import ABAW, ABAW_2020
from affectkit.submission.avec import RECOLA, SEWA
from affectkit.submission.form import Form
from affectkit.submission.omg import OMG

SUBMISSIONS: dict[str, Form] = {
    "abaw": ABAW,
    "abaw2020": ABAW_2020,
    "omg": OMG,
    "sewa": SEWA,
    "recola": RECOLA,
}


def find(kind: str) -> Form:
    """The layout of a challenge.

    Raises:
        AffectkitError: there is none of that name; lists the known ones.
    """
    if kind not in SUBMISSIONS:
        raise unknown("submission", kind, SUBMISSIONS)
    return SUBMISSIONS[kind]
