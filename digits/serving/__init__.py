"""Reading over HTTP, and the web page that reads in the browser."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digits.serving.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # `digits site` needs neither FastAPI nor the reader, which the application imports.
    if name == "create_app":
        from digits.serving.app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
