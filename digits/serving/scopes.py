"""What the ASGI scope of a request says."""

from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """The path below the one that the service is at."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
