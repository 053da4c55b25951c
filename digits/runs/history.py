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


COLUMNS = [column.name for column in fields(Epoch)]


def write_csv(history: Sequence[Epoch], path: Path) -> None:
    """Writes a header and a line for each epoch; an existing file is replaced.

    Raises:
        OSError: the file cannot be written; it is as it was.
    """
    with replacing(path) as file:
        writer = csv.writer(codecs.getwriter("ascii")(file), lineterminator="\n")
        writer.writerows([COLUMNS, *map(astuple, history)])


def write_events(
    history: Sequence[Epoch], path: Path, result: Mapping[str, Any] | None = None
) -> None:
    """Writes a JSON line for each epoch and, at the end of a run, one for its result.

    The `event` of a line is "epoch" or "result". A program that follows the file sees whole lines
    only.

    Raises:
        OSError: the file cannot be written; it is as it was.
    """
    events: list[Mapping[str, Any]] = [{"event": "epoch"} | asdict(epoch) for epoch in history]
    if result is not None:
        events.append({"event": "result", **result})
    with replacing(path) as file:
        file.write("".join(json.dumps(event) + "\n" for event in events).encode())


def read_csv(path: Path) -> list[Epoch]:
    """Reads what `write_csv` wrote; no epochs if there is no such file yet.

    Raises:
        DigitsError: the file is damaged.
    """
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
