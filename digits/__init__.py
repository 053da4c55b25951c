"""Handwritten digits: train a network on MNIST, know how good it is, and read with it.

from digits import Reader
Reader().read("photo.jpg").digits
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digits.reading.reader import Reader

__all__ = ["Reader"]


def __getattr__(name: str) -> Any:
    # Imported on first use, so that other commands need not wait for it.
    if name == "Reader":
        from digits.reading.reader import Reader

        return Reader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
