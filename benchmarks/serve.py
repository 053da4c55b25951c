"""The service under load and under attack.

    python -m benchmarks.serve               writes benchmarks/results/serve.jsonl
    python -m benchmarks.serve latency       measures one of latency, overload, attack again
    python -m benchmarks.serve --summary     prints what was measured

`latency`: one worker on one core, one connection, one picture after another. `overload`: for 30
seconds, twice as many requests as `digits serve --workers 2` can answer, which is measured just
before, from a client on the same two cores. `attack`: requests that schemathesis generates from the
OpenAPI document, and pictures, JSON and forms with changed bytes. Run nothing else meanwhile. The
three take three minutes.
"""

import asyncio
import contextlib
import io
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import RESULTS_FOLDER
from benchmarks.harness import command_line, http_load, service
from benchmarks.harness.http_load import Address
from benchmarks.harness.json_lines import Line, Lines
from digits.data.mnist import load_mnist

RESULTS = RESULTS_FOLDER / "serve.jsonl"
REQUESTS = 2000
SECONDS = 30
FUZZED = 30_000
EXAMPLES = 100  # of each operation and kind of body
MOST_ITEMS = 10  # larger arrays of an exact size are more than schemathesis can generate
SEED = 5


@contextlib.contextmanager
def serving(*arguments: str, core: int | None = None) -> Iterator[tuple[int, Address]]:
    """Runs `digits serve` during a block, and gives its process number and address."""
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    with service.running([*pinned, *service.COMMAND, *arguments]) as (process, address):
        yield process.pid, address


def pictures(enlarged: int = 4) -> list[bytes]:
    """Test digits as PNG files, dark on white, `enlarged` times as large as in MNIST."""
    found = []
    for digit in load_mnist().test_images[:200]:
        pixels = 255 - digit.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        found.append(content.getvalue())
    return found


def latency() -> Line:
    """The median and 99th percentile for pictures sent one after another, of two sizes."""
    cores = sorted(os.sched_getaffinity(0))
    found = {}
    with serving(core=cores[-1]) as (_, address):
        os.sched_setaffinity(0, {cores[0]})
        try:
            for enlarged in (1, 4):
                requests = [
                    http_load.post("/predict", "image/png", picture)
                    for picture in pictures(enlarged)
                ]
                http_load.one_after_another(address, requests)
                repeated = (requests * (REQUESTS // len(requests) + 1))[:REQUESTS]
                answers = http_load.one_after_another(address, repeated)
                assert {answer.status for answer in answers} == {200}
                seconds = [answer.seconds for answer in answers]
                found[str(28 * enlarged)] = {
                    "median_milliseconds": 1e3 * statistics.median(seconds),
                    "p99_milliseconds": 1e3 * float(np.quantile(seconds, 0.99)),
                }
        finally:
            os.sched_setaffinity(0, cores)
    return {"requests": REQUESTS, "pixels": found}


def overload() -> Line:
    """What becomes of twice as many requests as the service can answer."""
    request = http_load.post("/predict", "image/png", pictures()[0])
    with serving("--workers", "2") as (process, address):
        # The best of several tries: processes do not always share few connections evenly.
        capacity = max(
            asyncio.run(http_load.as_many_as_possible(address, request, 32, 3)) for _ in range(4)
        )
        before = memory(process)
        answers = asyncio.run(http_load.at_a_rate(address, request, 2 * capacity, SECONDS))
        after = memory(process)
    accepted = [answer.seconds for answer in answers if answer.status == 200]
    return {
        "capacity": capacity,
        "requests": len(answers),
        "seconds": SECONDS,
        "statuses": dict(Counter(str(answer.status) for answer in answers)),
        "p50_milliseconds": 1e3 * statistics.median(accepted),
        "p99_milliseconds": 1e3 * float(np.quantile(accepted, 0.99)),
        "memory_before_mb": before,
        "memory_after_mb": after,
    }


def memory(process: int) -> float:
    """The resident memory of a process and all its descendants, in MB."""
    everyone = [process]
    for one in everyone:
        children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        everyone.extend(map(int, children))
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in everyone)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def attack() -> Line:
    """Counts of statuses, and memory at the end and after half of the fuzzed requests, when all
    caches have grown."""
    requests = fuzzed(FUZZED)
    with serving() as (process, address):
        answers = fuzz(address, requests[: FUZZED // 2])
        before, counted = memory(process), counts(address)
        run_schemathesis(address)
        generated = counts(address) - counted
        assert generated, "schemathesis sent nothing"
        answers += fuzz(address, requests[FUZZED // 2 :])
        after = memory(process)
        assert json.loads(service.get(address, "/healthz"))["status"] == "alive"
    return {
        "schemathesis": {str(status): count for status, count in sorted(generated.items())},
        "fuzzed": dict(Counter(str(answer.status) for answer in answers)),
        "slowest_seconds": max(answer.seconds for answer in answers),
        "memory_before_mb": before,
        "memory_after_mb": after,
    }


def run_schemathesis(address: Address) -> None:
    """Sends what schemathesis generates from the service's own OpenAPI document.

    It cannot generate large arrays of one exact size, so the document allows them any size.
    """
    document = without_sizes(json.loads(service.get(address, "/openapi.json")))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "openapi.json").write_text(json.dumps(document))
        subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                "openapi.json",
                "--url=http://{}:{}".format(*address),
                "--checks=not_a_server_error",
                f"--max-examples={EXAMPLES}",
                "--generation-deterministic",
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def without_sizes(schema: Any) -> Any:
    """A part of an OpenAPI document, without the sizes of arrays of many items."""
    if isinstance(schema, list):
        return [without_sizes(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    large = schema.get("minItems", 0) > MOST_ITEMS
    return {
        key: without_sizes(part)
        for key, part in schema.items()
        if not (large and key in ("minItems", "maxItems"))
    }


def counts(address: Address) -> Counter[int]:
    """How many requests were answered so far, by status."""
    found: Counter[int] = Counter()
    for line in service.get(address, "/metrics").splitlines():
        if match := re.match(r'digits_requests_total\{.*status="(\d+)"\} ([\d.e+]+)', line):
            found[int(match[1])] += int(float(match[2]))
    return found


def fuzz(address: Address, requests: list[bytes]) -> list[http_load.Answer]:
    """Sends broken requests, over a new connection whenever the server has closed the last one."""
    answers: list[http_load.Answer] = []
    while len(answers) < len(requests):
        try:
            answers += http_load.one_after_another(address, requests[len(answers) :][:50])
        except (OSError, EOFError):
            answers.append(http_load.Answer(0, 0))
    return answers


def fuzzed(count: int) -> list[bytes]:
    """Requests with bytes of their bodies changed, removed or inserted, the same every time."""
    rng = random.Random(SEED)
    picture = pictures()[0]
    formats = {"image/png": picture}
    for name in ("JPEG", "GIF", "BMP", "WebP", "TIFF"):
        content = io.BytesIO()
        Image.open(io.BytesIO(picture)).save(content, name)
        formats[f"image/{name.lower()}"] = content.getvalue()
    formats["application/json"] = json.dumps({"pixels": [[0] * 28] * 28}).encode()
    formats["multipart/form-data; boundary=x"] = (
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    )
    found = []
    for _ in range(count):
        kind = rng.choice([*formats])
        body = bytearray(formats[kind])
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(body) + 1)
            action = rng.randrange(4)
            if action == 0:
                body[at : at + 1] = bytes([rng.randrange(256)])
            elif action == 1:
                del body[at : at + rng.randrange(1, 64)]
            elif action == 2:
                body[at:at] = rng.randbytes(rng.randrange(1, 16))
            else:
                body = body[:at] or body
        path = rng.choice(["/predict"] * 8 + ["/predict/batch", "/v2/models/digit/infer"])
        found.append(http_load.post(path, kind, bytes(body)))
    return found


PARTS = {"latency": latency, "overload": overload, "attack": attack}


def summary(lines: Lines) -> str:
    """What was measured, a line each."""
    by_what = {line["what"]: line for line in lines}
    text: list[str] = []
    if one := by_what.get("latency"):
        text.extend(
            f"pictures of {side}×{side} pixels, one after another: median "
            f"{of['median_milliseconds']:.2f} ms, 99% within {of['p99_milliseconds']:.2f} ms"
            for side, of in one["pixels"].items()
        )
    if one := by_what.get("overload"):
        text.append(
            f"{one['requests']:,} requests in {one['seconds']} s, twice what it can answer "
            f"({one['capacity']:.0f} a second): {one['statuses']}; those with 200: median "
            f"{one['p50_milliseconds']:.0f} ms, 99% within {one['p99_milliseconds']:.0f} ms; "
            f"memory {one['memory_before_mb']:.0f} -> {one['memory_after_mb']:.0f} MB"
        )
    if one := by_what.get("attack"):
        text.append(
            f"schemathesis: {one['schemathesis']}; fuzzed: {one['fuzzed']}; slowest "
            f"{one['slowest_seconds']:.2f} s; memory {one['memory_before_mb']:.0f} -> "
            f"{one['memory_after_mb']:.0f} MB"
        )
    return "\n".join(text) or command_line.NOTHING


if __name__ == "__main__":
    command_line.main_of_parts(__doc__, RESULTS, PARTS, summary)
