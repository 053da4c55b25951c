"""Handwritten digits: train a network on MNIST, know how good it is, and read with it.

from digits import Reader
Reader().read("photo.jpg").digits
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digits.api import compare, evaluate, teach, train
    from digits.errors import DigitsError
    from digits.reading.page import Page, Reading
    from digits.reading.reader import Reader

    __version__: str

__all__ = [
    "DigitsError",
    "Page",
    "Reader",
    "Reading",
    "__version__",
    "compare",
    "evaluate",
    "teach",
    "train",
]

_MODULES = {
    "DigitsError": "digits.errors",
    "Page": "digits.reading.page",
    "Reader": "digits.reading.reader",
    "Reading": "digits.reading.page",
    "compare": "digits.api",
    "evaluate": "digits.api",
    "teach": "digits.api",
    "train": "digits.api",
}


if not TYPE_CHECKING:  # or checkers would believe that there is any name

    def __getattr__(name: str) -> Any:
        # Imported on first use, so that other commands need not wait for it.
        if name == "__version__":
            return import_module("importlib.metadata").version("mnist-classification")
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
