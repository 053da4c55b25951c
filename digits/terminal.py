"""What stands between a command and whoever runs it: lines, bars, and libraries that talk."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from digits.errors import DigitsError

SHIPPED = "folder of the model (default: the one that comes with this program)"  # --model
MANY = 10  # things to do, from which on a bar shows how many are done
Item = TypeVar("Item", covariant=True)


class Items(Sized, Iterable[Item], Protocol[Item]):
    """What has a length and can be gone through."""


def say(text: str) -> None:
    """A line of standard output, at once, so that who waits for it in a pipe need not.

    Raises:
        DigitsError: it cannot be written, as on a full disk.
        BrokenPipeError: nobody reads it any more.
    """
    try:
        sys.stdout.write(text + "\n")  # in one piece, which Ctrl-C does not cut
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_output()
        raise DigitsError(f"Standard output cannot be written ({error.strerror}).") from None


def say_json(content: Any, indent: int | None = None) -> None:
    """JSON on standard output, in ASCII, which every terminal and pipe takes; on one line if there
    is no indent."""
    say(json.dumps(content, indent=indent, allow_nan=False))


def abandon_output() -> None:
    """Sends what is left in the buffer nowhere, so that Python does not fail on it at the end."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def note(text: str) -> None:
    """A line of standard error, above a bar if there is one."""
    if bars := sys.modules.get("tqdm"):
        bars.tqdm.write(text, file=sys.stderr)
    else:
        print(text, file=sys.stderr, flush=True)


def watched(items: Items[Item], unit: str, beside_lines: bool = False) -> Iterable[Item]:
    """Passes items on, with a bar on standard error if that is a terminal and there are many.

    Args:
        items: what to go through.
        unit: what one of them is.
        beside_lines: each item writes a line; where that goes to the same terminal it is enough.
    """
    if len(items) < MANY or not sys.stderr.isatty() or (beside_lines and sys.stdout.isatty()):
        return items
    from tqdm import tqdm

    return tqdm(items, unit=f" {unit}s", file=sys.stderr, dynamic_ncols=True, leave=False)


@contextmanager
def own_words_only() -> Iterator[None]:
    """Drops what libraries in C write to file descriptor 2, as LiteRT does on starting and libtiff
    on a damaged file, and which no setting silences. What Python writes still arrives."""
    before = sys.stderr
    try:
        terminal = os.dup(2)
        ours = os.dup(before.fileno())  # not 2, which is already silent within another such block
    except (OSError, ValueError):  # closed, or no file: there is nothing to keep clean
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    sys.stderr = open(  # noqa: SIM115 - it outlives no block: closed below
        ours, "w", encoding=before.encoding, errors="backslashreplace", buffering=1
    )
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        with suppress(OSError):  # as when nobody reads it any more
            sys.stderr.close()
        sys.stderr = before


@contextmanager
def importing_tensorflow() -> Iterator[None]:
    """Makes TensorFlow, which the block is the first to import, compute with oneDNN on any x86.

    The two lines that it prints of that, which no setting silences, are dropped; whatever else is
    written to standard error meanwhile is passed on.
    """
    import platform
    import tempfile  # these take longer than all else here

    if platform.machine() in ("x86_64", "AMD64"):
        # By itself it does so only where the processor has AVX512-VNNI or newer.
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


@contextmanager
def needing(what: str, extra: str = "train") -> Iterator[None]:
    """Says in a sentence that a library of an extra, which `what` needs, is missing."""
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
