"""The mistake of a client, as it is raised."""

from starlette.exceptions import HTTPException


class RequestError(HTTPException):
    """A request that cannot be answered; `detail` says in one sentence why, and what to do."""
