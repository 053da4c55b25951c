"""Who may ask for what: hosts, a token, a port for the metrics alone, and other origins."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from digits.serving import problems
from digits.serving.errors import RequestError
from digits.serving.scopes import path_of

HEALTH = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
METRICS = "/metrics"


@dataclass(frozen=True)
class Access:
    """Who may ask for what.

    Attributes:
        hosts: names that the header Host may have; `*.example.org` stands for every name below it.
            None for any. The port for the metrics alone goes by any name.
        token: what must be in the header Authorization, except for the page and for health.
        metrics_port: the port that has /metrics and health, and nothing else; other ports then
            have no /metrics.
        origins: of web pages elsewhere that may ask; `*` for all.
    """

    hosts: Sequence[str] = ()
    token: str | None = None
    metrics_port: int | None = None
    origins: Sequence[str] = ()

    @property
    def limited(self) -> bool:
        """Whether `Middleware` has anything to do."""
        return bool(self.hosts or self.token or self.metrics_port)

    def goes_by(self, host: str) -> bool:
        """Whether the service may be asked by a header Host, with or without a port."""
        return not self.hosts or _matches(_name(host), self.hosts)


class Middleware:
    """Answers for an application where `access` does not let a request through."""

    def __init__(self, app: ASGIApp, access: Access, is_public: Callable[[str], bool]) -> None:
        """`is_public` says of a path whether it is of the page."""
        self.app, self.access, self.is_public = app, access, is_public

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and (error := self._error(scope)) is not None:
            return problems.response(scope, error)(scope, receive, send)
        return self.app(scope, receive, send)

    def _error(self, scope: Scope) -> RequestError | None:
        access, headers, path = self.access, Headers(scope=scope), path_of(scope)
        if path in HEALTH:  # probes know neither the name nor the token
            return None
        if access.metrics_port is not None:
            on_port = (scope.get("server") or ("", None))[1] == access.metrics_port
            if on_port != (path == METRICS):
                return RequestError(404, f"There is nothing at {path:.200} on this port.")
            if on_port:  # Prometheus finds what it asks by address
                return None
        if not access.goes_by(host := headers.get("host", "")):
            return RequestError(421, f"This service is not {host!r:.80}; ask it by its own name.")
        if access.token is not None and not self.is_public(path):
            scheme, _, given = headers.get("authorization", "").partition(" ")
            same = hmac.compare_digest(given.strip().encode(), access.token.encode())
            if scheme.lower() != "bearer" or not same:
                asked = {"WWW-Authenticate": "Bearer"}
                detail = "The token is missing or wrong; send it as Authorization: Bearer TOKEN."
                return RequestError(401, detail, asked)
        return None


def _name(host: str) -> str:
    """The name or address in a header Host, without the port."""
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0].lower()


def _matches(name: str, hosts: Sequence[str]) -> bool:
    return any(
        name == host.lower() or (host.startswith("*.") and name.endswith(host[1:].lower()))
        for host in hosts
    )
