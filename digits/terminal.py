"""Output on the terminal: lines, progress bars, and silence for noisy libraries."""

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from digits.errors import DigitsError

MANY = 10  # from this many items on, a bar is shown
Item = TypeVar("Item")


def say(text: str) -> None:
    """Writes a line to standard output and flushes it, so that a pipe passes it on at once.

    Raises DigitsError if it cannot be written, for instance because the disk is full, and
    BrokenPipeError if the reader of the pipe is gone.
    """
    try:
        sys.stdout.write(text + "\n")  # in one piece, so that Ctrl-C does not cut it
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_output()
        raise DigitsError(f"Standard output cannot be written ({error.strerror}).") from None


def say_json(content: Any, indent: int | None = None) -> None:
    """Writes JSON to standard output, in ASCII, which every terminal takes; on one line without
    `indent`."""
    say(json.dumps(content, indent=indent, allow_nan=False))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """The lines of a table, columns two spaces apart; the first `left` of them are left-aligned."""
    cells = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    forms = [f"{{:{'<' if at < left else '>'}{width}}}" for at, width in enumerate(widths)]
    return ["  ".join(forms).format(*row).rstrip() for row in cells]


def abandon_output() -> None:
    """Discards what is left in the buffer, so that Python does not fail on it at exit."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def note(text: str) -> None:
    """Writes a line to standard error, above a bar if there is one."""
    if bars := sys.modules.get("tqdm"):
        bars.tqdm.write(text, file=sys.stderr)
    else:
        print(text, file=sys.stderr, flush=True)


def watched(items: Collection[Item], unit: str, beside_lines: bool = False) -> Iterable[Item]:
    """Yields the items, with a bar on standard error if that is a terminal and there are many.

    Args:
        unit: what an item is called, in the singular.
        beside_lines: whether each item writes a line; on the same terminal, no bar is needed then.
    """
    if len(items) < MANY or not sys.stderr.isatty() or (beside_lines and sys.stdout.isatty()):
        return items
    from tqdm import tqdm

    return tqdm(items, unit=f" {unit}s", file=sys.stderr, dynamic_ncols=True, leave=False)


@contextmanager
def own_words_only() -> Iterator[None]:
    """Drops what C libraries write to file descriptor 2 and no setting silences, such as LiteRT at
    its start and libtiff on a damaged file. What Python writes to standard error still arrives."""
    before = sys.stderr
    try:
        terminal = os.dup(2)
        ours = os.dup(before.fileno())  # not 2, which is silent already in a nested block
    except (OSError, ValueError):  # closed, or not a file: there is nothing to silence
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    sys.stderr = open(  # noqa: SIM115 - closed below
        ours, "w", encoding=before.encoding, errors="backslashreplace", buffering=1
    )
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        with suppress(OSError):  # such as a broken pipe
            sys.stderr.close()
        sys.stderr = before


@contextmanager
def importing_tensorflow() -> Iterator[None]:
    """Makes TensorFlow use oneDNN on any x86 processor; the block must be the first to import it.

    The two lines that it prints about that, which no setting silences, are dropped. Everything else
    written to standard error meanwhile is passed on. In a notebook, its Python half is kept from
    logging every file that it writes.
    """
    import logging
    import platform
    import tempfile  # these two take longer to import than everything else here

    if platform.machine() in ("x86_64", "AMD64"):
        # By default, it does so only on processors with AVX512-VNNI or newer.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            written.seek(0)
            for line in written:
                if b"oneDNN custom operations" not in line and b"InitializeLog" not in line:
                    os.write(2, line)
    # Where someone types, TensorFlow has set INFO.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)


@contextmanager
def needing(what: str, extra: str = "train") -> Iterator[None]:
    """Reports in a sentence that a library is missing which `what` needs, and its extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "digits").partition(".")[0]
        if library == "digits":
            raise
        raise DigitsError(
            f"{library} is not installed, which {what} needs; "
            f'install it with: pip install -e ".[{extra}]"'
        ) from None
