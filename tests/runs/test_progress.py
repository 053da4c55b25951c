"""Does a terminal show where runs stand, and does a log get a line for whatever happens?"""

import contextlib
import os
import pty
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from digits.runs.history import Epoch, write_history
from digits.runs.progress import Status, shown
from digits.runs.recipes import RECIPES
from digits.runs.run import Run


def lines_on_screen(written: str) -> list[str]:
    """What a terminal shows of what was written to it."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[\??\d*[a-zA-Z]|[\r\n]|[^\x1b\r\n]+", written):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\r":
            column = 0
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part == "\x1b[1A":
            row -= 1
        elif part[0] != "\x1b":
            lines[row] = f"{lines[row][:column]:{column}}{part}{lines[row][column + len(part) :]}"
            column += len(part)
        else:
            assert part in ("\x1b[?25l", "\x1b[?25h"), part  # hides the cursor, shows it again
    return lines


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Makes standard error a terminal of 80 columns, and gives what it shows."""
    ours, theirs = pty.openpty()
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "4"}.items():
        monkeypatch.setenv(name, value)
    os.set_blocking(ours, False)
    written = ""

    def shows() -> list[str]:
        nonlocal written
        with contextlib.suppress(BlockingIOError):
            while True:
                written += os.read(ours, 4096).decode()
        return lines_on_screen(written)

    with open(theirs, "w") as file:
        monkeypatch.setattr(sys, "stderr", file)
        yield shows
    os.close(ours)


@pytest.fixture
def status(tmp_path: Path) -> Status:
    """Of four runs, one is finished and the others are at work."""
    names = ["first", "second-whose-long-name-is-cut-in-the-middle-seed-2", "third", "fourth"]
    planned = [
        Run(tmp_path / name, replace(RECIPES["fast"], epochs=9, seed=seed))
        for seed, name in enumerate(names, 1)
    ]
    for run in planned:
        run.folder.mkdir()
    return Status(planned, dict.fromkeys(planned[1:], 0.0), finished={planned[0]})


def save(run: Run, count: int) -> None:
    """Saves epochs of a minute each."""
    history = [Epoch(number + 1, 60, 0.1, 0.1, 0.9, 0.1, 0.98) for number in range(count)]
    write_history(history, run.folder)


def test_a_terminal_shows_where_runs_stand_below_the_news(
    status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second, third, fourth = status.planned
    reason = "a sentence that is longer than a line of this terminal " * 2
    with terminal(monkeypatch) as screen:
        with shown(status) as show:
            show()
            # As many as fit, and always the totals.
            assert [line[:9] for line in screen()] == ["third    ", "fourth   ", "1 of 4 fi"]
            save(second, 2)
            (fourth.folder / "history.csv").write_text("damaged")
            del status.running[third]
            status.fail(third, reason)
            show()
            show()
            news, one, other, totals = screen()
        after = screen()
    assert news == f"{'third':34}  failed: {reason}"
    assert one == "second-whose-lon…the-middle-seed-2  epoch 2/9  validation 98.00%  7 min left"
    assert other == f"{'fourth':34}  history.csv is damaged"
    assert re.fullmatch(r"1 of 4 finished, 2 at work, 1 failed, about \d+ s left", totals)
    assert [line for line in after if line] == [news]  # the other lines are gone in the end


def test_a_log_gets_a_line_for_each_epoch_and_all_news(
    status: Status, capfd: pytest.CaptureFixture[str]
) -> None:
    _, _, third, fourth = status.planned
    del status.running[status.planned[1]]
    with shown(status) as show:
        show()
        save(third, 2)
        show()
        save(third, 9)
        status.news.append((fourth, "killed"))
        show()
        show()
    assert capfd.readouterr().err.splitlines() == [
        f"{'third':34}  epoch 0/9",
        f"{'fourth':34}  epoch 0/9",
        f"{'third':34}  epoch 2/9  validation 98.00%  7 min left",
        f"{'fourth':34}  killed",
        f"{'third':34}  epoch 9/9  validation 98.00%  measuring",
    ]
