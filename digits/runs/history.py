"""What happened in each epoch of a training run."""

import codecs
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.files import replacing


@dataclass(frozen=True)
class Epoch:
    """One line of the history.

    `loss` (nats) and `accuracy` (0 to 1) are means over the epoch's training images, distorted and
    with dropout, while the weights change. `validation_loss` and `validation_accuracy` are measured
    at the end of the epoch, on the held-out images without distortion. Neither loss includes label
    smoothing or the temperature, which is fitted later. `seconds` is the time of the epoch,
    validation included.
    """

    epoch: int
    seconds: float
    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class LineEpoch:
    """An epoch of the network for lines: the mean loss of a line (nats), and the fraction of the
    drawn validation lines that are read without an error at its end."""

    epoch: int
    seconds: float
    loss: float
    validation_right: float


COLUMNS = [column.name for column in fields(Epoch)]


def write_history(
    history: Sequence[Epoch], folder: Path, result: Mapping[str, Any] | None = None
) -> None:
    """Writes history.csv, and events.jsonl with an object for each epoch and for the result.

    The `event` of an object is "epoch" or "result"; a run has a result at its end. Both files are
    replaced as a whole, so that a program that follows them sees whole lines only. Raises OSError
    if a file cannot be written; it is then as it was.
    """
    events = [{"event": "epoch"} | asdict(epoch) for epoch in history]
    if result is not None:
        events.append({"event": "result", **result})
    with replacing(folder / "history.csv") as file:
        writer = csv.writer(codecs.getwriter("ascii")(file), lineterminator="\n")
        writer.writerows([COLUMNS, *map(astuple, history)])
    with replacing(folder / "events.jsonl") as file:
        file.write("".join(json.dumps(event) + "\n" for event in events).encode())


def read_history(folder: Path) -> list[Epoch]:
    """Reads the folder's history.csv; no epochs if there is no such file yet, and DigitsError if it
    is damaged."""
    path = folder / "history.csv"
    try:
        rows = list(csv.reader(path.read_text().splitlines()))
        if rows[:1] != [COLUMNS] or {*map(len, rows)} != {len(COLUMNS)}:
            raise ValueError("it is not a table of epochs")
        return [Epoch(int(number), *map(float, rest)) for number, *rest in rows[1:]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise DigitsError(
            f"{path} is damaged ({error}); remove the folder and train again."
        ) from None
