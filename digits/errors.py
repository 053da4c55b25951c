"""Errors that a command reports in a sentence, without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager


class DigitsError(Exception):
    """A mistake that the user can correct, in one sentence: what is wrong, with what, what to do.

    Commands print it and exit with status 2.
    """


class Interrupted(Exception):  # noqa: N818 - no more an error than KeyboardInterrupt
    """Ctrl-C ended a training run; `epochs` are finished and saved."""

    def __init__(self, epochs: int) -> None:
        super().__init__(epochs)
        self.epochs = epochs


@contextmanager
def explained(failure: str, advice: str = "") -> Iterator[None]:
    """Makes an OSError in the block a DigitsError: the failure, the system's reason, the advice.

    `explained("out.png cannot be written", "choose another --out")` raises, for instance,
    "out.png cannot be written (No space left on device); choose another --out."
    """
    try:
        yield
    except OSError as error:
        more = f"; {advice}" if advice else ""
        raise DigitsError(f"{failure} ({error.strerror or error}){more}.") from None
