"""Reads many pictures in the order given, one after another or in several processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from digits import pictures
from digits.errors import DigitsError
from digits.pictures.contents import name_of
from digits.pictures.documents import Document, PageOf, Source

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext

IN_HAND = 2  # pictures that a process has at once, so that it need not wait for the next one
AHEAD = 8  # pictures for each process that may be read before the first of them is wanted

Answer = TypeVar("Answer")
Outcome = tuple[Answer | DigitsError, float]  # or why there is none; the seconds it took
Outcomes = Generator[Outcome[Answer], None, None]
Read = Callable[[Source], Answer]


def outcomes(
    read: Read[Answer], sources: Iterable[Source | DigitsError], workers: int
) -> Outcomes[Answer]:
    """Reads pictures one after another, or if `workers` is 2 or more in so many processes, to which
    `read` is sent: `Reader.read`, or a function that calls it.

    A source may be the error that is known to be its outcome. Yields in the order of the sources,
    which are asked for one at a time, or a few ahead. The
    processes end when the iterator does, is closed, or is interrupted. Raises DigitsError if one of
    them ends by itself, as one does for which there is no memory.
    """
    if workers > 1:
        yield from _in_processes(read, sources, workers)
        return
    with closing(_OneByOne(read)) as reading:
        for source in sources:
            yield reading.outcome(source)


class _OneByOne(Generic[Answer]):
    """Reads pictures in this process, and keeps a document open while its pages are asked for."""

    def __init__(self, read: Read[Answer]) -> None:
        self._read = read
        self._file: str | Path | bytes | None = None
        self._document: Document | None = None

    def outcome(self, source: Source | DigitsError) -> Outcome[Answer]:
        started = time.perf_counter()
        answer: Answer | DigitsError
        try:
            if isinstance(source, DigitsError):
                raise source
            if isinstance(source, PageOf):
                source = self._opened(source.file).page(source.number)
            answer = self._read(source)
        except DigitsError as error:
            answer = error
        return answer, time.perf_counter() - started

    def close(self) -> None:
        if self._document is not None:
            self._document.close()
        self._document = self._file = None

    def _opened(self, file: str | Path | bytes) -> Document:
        if self._document is None or self._file != file:
            self.close()
            self._document, self._file = Document(file), file
        return self._document


class _Worker:
    """A process that reads, and our end of its pipe.

    Attributes:
        in_hand: the number and name of each picture that it has and has not answered for.
    """

    def __init__(self, context: SpawnContext, read: Read[Any]) -> None:
        self._pipe, theirs = context.Pipe()
        # `read` follows in the pipe: `start` would wait forever for a process that ended early.
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._ready = False
        self._unsent: list[object] = [read]
        self.in_hand: list[tuple[int, str]] = []

    @property
    def pipe(self) -> Connection:
        """From which answers come."""
        return self._pipe

    def give(self, number: int, source: Source) -> None:
        file = source.file if isinstance(source, PageOf) else source
        self.in_hand.append((number, name_of(file)))
        self._unsent.append(source)
        if self._ready:
            self._send()

    def take(self) -> tuple[int, Outcome[Any]] | None:
        """Its next answer, with the picture's number; none when it only says that it is ready."""
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if answer is None:
            self._ready = True
            self._send()
            return None
        if isinstance(answer, str):
            raise RuntimeError(f"A process that reads failed:\n{answer}")
        return self.in_hand.pop(0)[0], answer

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _send(self) -> None:
        try:
            while self._unsent:
                self._pipe.send(self._unsent.pop(0))
        except OSError:
            raise self._died() from None

    def _died(self) -> DigitsError:
        self._process.join(timeout=5)
        status, (_, name) = self._process.exitcode, self.in_hand[0]
        if status is not None and status < 0:
            return DigitsError(
                f"The process that read {name} was ended by signal {-status}, perhaps because "
                "memory ran out; try again with fewer workers."
            )
        return DigitsError(
            f"The process that was to read {name} ended by itself; in a program of your own, call "
            "read_many below if __name__ == '__main__'."
        )


def _in_processes(
    read: Read[Answer], sources: Iterable[Source | DigitsError], workers: int
) -> Outcomes[Answer]:
    # Not imported before, since reading one picture takes no longer than importing this.
    import multiprocessing
    from multiprocessing.connection import wait

    context = multiprocessing.get_context("spawn")  # LiteRT's threads do not survive a fork
    coming = iter(sources)
    team: list[_Worker] = []
    done: dict[int, Outcome[Answer]] = {}
    given = wanted = 0
    try:
        while True:
            while given - wanted < AHEAD * workers and _has_room(team, workers):
                try:
                    source = next(coming)
                except StopIteration:
                    break
                try:
                    portable = _portable(source)
                except DigitsError as error:
                    done[given] = error, 0.0
                else:
                    worker = min(team, key=lambda one: len(one.in_hand), default=None)
                    if worker is None or (worker.in_hand and len(team) < workers):
                        team.append(worker := _Worker(context, read))
                    worker.give(given, portable)
                given += 1
            if wanted == given:
                return
            busy = [worker for worker in team if worker.in_hand]
            ready = wait([one.pipe for one in busy], timeout=0 if wanted in done else None)
            for worker in busy:
                if worker.pipe in ready and (answer := worker.take()):
                    number, outcome = answer
                    done[number] = outcome
            if wanted in done:
                yield done.pop(wanted)
                wanted += 1
    finally:
        for worker in team:
            worker.stop()


def _has_room(team: list[_Worker], workers: int) -> bool:
    return len(team) < workers or any(len(worker.in_hand) < IN_HAND for worker in team)


def _portable(source: Source | DigitsError) -> Source:
    """What another process can read: an open file or a PIL image becomes its pixels. Raises a
    DigitsError if there is none."""
    if isinstance(source, DigitsError):
        raise source
    if isinstance(source, (str, Path, bytes, np.ndarray, PageOf)):
        return source
    return pictures.load(source)


def _work(pipe: Connection) -> None:
    """What a worker does: answers each picture that the pipe brings, until the other end closes."""
    import queue
    import signal
    import threading
    import traceback

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    pipe.send(None)  # ready
    read = pipe.recv()
    sources: queue.SimpleQueue[Source] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, sources), daemon=True).start()
    reading = _OneByOne(read)
    while True:
        answer: Outcome[Any] | str
        try:
            answer = reading.outcome(sources.get())
        except Exception:
            answer = traceback.format_exc()
        pipe.send(answer)


def _receive(pipe: Connection, sources: Any) -> None:
    """Takes pictures while another is read, or the parent could not give one and be answered."""
    import os

    with suppress(Exception):
        while True:
            sources.put(pipe.recv())
    os._exit(1)  # the parent is gone, and nobody wants what is being read
