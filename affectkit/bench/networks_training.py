"""Train, predict and score many networks, each in a worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from affectkit.evaluation import evaluate
from affectkit.inference import predict
from affectkit.parallel import Progress, map_tasks, no_progress
from affectkit.results import prediction_path
from affectkit.run import SCORES, read_metadata
from affectkit.training.fit import fit
from affectkit.training.recipe import Recipe


class NetworkTask(NamedTuple):
    """A network to train, and its folders."""

    recipe: Recipe
    recordings: Path
    run: Path
    scored: bool  # on the test split; predicted for the validation split too


def train_networks(
    tasks: Sequence[NetworkTask],
    *,
    workers: int = 1,
    name: str = "train",
    progress: Progress = no_progress,
) -> None:
    """Complete all tasks; resume those that an earlier call did not complete.

    Args:
        tasks: independent of one another.
        workers: number of worker processes.
        name: for the progress.
        progress: called with `name`, completed epochs of all tasks and their number of epochs.

    Raises:
        AffectkitError: a network cannot be trained.
    """
    epochs = {str(task.run): task.recipe.training.epochs for task in tasks}
    done = dict.fromkeys(epochs, 0)

    def count_epochs(run: str, step: int, steps: int) -> None:
        done[run] = step * epochs[run] // steps
        progress(name, sum(done.values()), sum(epochs.values()))

    results = map_tasks(train_network, tasks, workers=workers, progress=count_epochs)
    for task, _ in results:
        count_epochs(str(task.run), 1, 1)


def train_network(task: NetworkTask, progress: Progress = no_progress) -> None:
    """Train, predict and score, except what is done already.

    Args:
        task: the network.
        progress: called with the run folder, training steps done and all training steps.

    Raises:
        AffectkitError: the network cannot be trained.
    """

    def report(_: str, step: int, steps: int) -> None:
        progress(str(task.run), step, steps)

    fit(task.recipe, task.recordings, task.run, device="cpu", progress=report)
    if not task.scored:
        return
    splits = read_metadata(task.run)["splits"]
    names = splits["validation"] + splits["test"]
    missing = [name for name in names if not prediction_path(task.run, name).exists()]
    predict(task.run, [task.recordings / f"{name}.zarr" for name in missing], device="cpu")
    if not (task.run / SCORES).is_file():
        evaluate(task.run, task.recordings)
