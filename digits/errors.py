"""What ends a command early without being a fault of the program."""


class DigitsError(Exception):
    """Something the user can mend, said in one sentence: what, with what, and what to do.

    Commands print it without a traceback and exit with status 2.
    """


class Interrupted(Exception):  # noqa: N818 - not an error, as KeyboardInterrupt is none
    """Ctrl-C ended a training run; `epochs` are finished and saved."""

    def __init__(self, epochs: int) -> None:
        super().__init__(epochs)
        self.epochs = epochs
