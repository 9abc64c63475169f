import sys

import pytest

from affectkit.cli.main import main


@pytest.fixture
def call(monkeypatch, capsys):
    """Run a command; gives status, standard output and error."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["affectkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return run_command
