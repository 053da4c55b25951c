"""The sockets that the service listens on."""

import os
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from digits.errors import DigitsError
from digits.serving.connections.protocol import BACKLOG

TRIES = 20  # for a free port that is free on every address


@dataclass(frozen=True)
class Address:
    """Where to listen.

    Attributes:
        host: a name or an address; at all addresses that a name has.
        port: 0 for a free one.
        uds: the path of a Unix socket, in place of host and port.
        metrics_port: of the same host, for /metrics alone; 0 for a free one.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    uds: str | None = None
    metrics_port: int | None = None


@contextmanager
def listening(at: Address) -> Iterator[tuple[list[socket.socket], list[socket.socket]]]:
    """Sockets that listen during the block: of the service, and of its metrics.

    Raises DigitsError if an address cannot be listened on.
    """
    for flag, port in (("--port", at.port), ("--metrics-port", at.metrics_port or 0)):
        if not 0 <= port < 1 << 16:
            raise DigitsError(f"{flag} must be from 0 to 65535, not {port}.")
    with ExitStack() as stack:
        if at.uds is None:
            main = _on_host(at.host, at.port, "--port")
        else:
            main = [_on_path(at.uds)]
            stack.callback(_remove, at.uds, os.stat(at.uds).st_ino)
        for one in main:
            stack.enter_context(one)
        metrics = []
        if at.metrics_port is not None:
            metrics = _on_host(at.host, at.metrics_port, "--metrics-port")
        for one in metrics:
            stack.enter_context(one)
        yield main, metrics


def _on_host(host: str, port: int, flag: str) -> list[socket.socket]:
    """A socket for each address of a host, all of one port, which `flag` chooses."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = list(dict.fromkeys((family, address[0]) for family, *_, address in found))
        for left in reversed(range(TRIES)):
            try:
                return _bound(addresses, port)
            except OSError:
                if port or not left:
                    raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DigitsError(
            f"Cannot listen on {host}, port {port} ({reason}); "
            f"choose another {flag}, or 0 for a free one."
        ) from None
    raise AssertionError


def _bound(addresses: Sequence[tuple[int, str | int]], port: int) -> list[socket.socket]:
    opened: list[socket.socket] = []
    try:
        for family, host in addresses:
            # :: is every address of this machine, those of version 4 too.
            every = host == "::" and socket.has_dualstack_ipv6()
            opened.append(
                socket.create_server(
                    (str(host), port),
                    family=socket.AddressFamily(family),
                    backlog=BACKLOG,
                    dualstack_ipv6=every,
                )
            )
            port = opened[0].getsockname()[1]
    except BaseException:
        for one in opened:
            one.close()
        raise
    return opened


def _on_path(path: str) -> socket.socket:
    """A Unix socket, which takes the place of one that nobody listens on any more."""
    if not hasattr(socket, "AF_UNIX"):
        raise DigitsError("This system has no Unix sockets; use --host and --port.")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if os.path.exists(path):
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                raise DigitsError(f"{path} is not a socket; choose another --uds.")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
                try:
                    other.connect(path)
                except ConnectionRefusedError:
                    os.unlink(path)
                else:
                    raise DigitsError(f"Another program listens on {path}; choose another --uds.")
        listener.bind(path)
        os.chmod(path, 0o666)  # its folder says who may reach it
        listener.listen(BACKLOG)
    except DigitsError:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        reason = error.strerror or error
        raise DigitsError(f"Cannot listen on {path} ({reason}); choose another --uds.") from None
    return listener


def _remove(path: str, inode: int) -> None:
    """Removes our socket, unless another program has put its own there."""
    try:
        if os.stat(path).st_ino == inode:
            os.unlink(path)
    except OSError:
        pass
