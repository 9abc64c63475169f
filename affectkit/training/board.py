"""The history as curves in TensorBoard, for those who ask for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from affectkit.errors import AffectkitError

FOLDER = "tensorboard"
Row = dict[str, float]


@contextmanager
def tensorboard(run: Path, *, wanted: bool) -> Iterator[Callable[[Row], None]]:
    """Yield what takes a row of the history.

    Raises:
        AffectkitError: the package tensorboard is not there.
    """
    if not wanted:
        yield lambda row: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise AffectkitError(
            "training.tensorboard needs the package tensorboard; "
            "run: pip install 'affectkit[tensorboard]'"
        ) from None
    with SummaryWriter(run / FOLDER) as writer:

        def write(row: Row) -> None:
            for name, value in row.items():
                if name != "epoch":
                    writer.add_scalar(name, value, int(row["epoch"]))
            writer.flush()

        yield write
