"""A network of the user's own, `FILE.py:FUNCTION`, and the copy of the file that a run keeps.

A run reads the user's file once, and from then on its copy, whose SHA-256 is in the recipe: what
resumes, a sweep and an ensemble train the very network that they began with. Loading it runs the
user's code, which imports Keras; this module does not.
"""

import hashlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from digits.errors import DigitsError
from digits.terminal import note

COPY = "network.py"  # the copy's name in the folder of a run
FORM = "FILE.py:FUNCTION"
OWN = re.compile(r"(?P<file>.+\.py):(?P<function>[^\W\d]\w*)")
COLOURS = re.compile(r"\x1b\[[\d;]*m")  # of Keras's messages
AFTERWARDS = re.compile(r"\s*Arguments received by.*", re.DOTALL)  # pages of them, in some

_loading: list[str] = []  # the files that are being loaded


def is_own(network: str) -> bool:
    """Whether a recipe's `network` is the user's, and none of this program's."""
    return OWN.fullmatch(network) is not None


def function_name(network: str) -> str:
    """FUNCTION of a network of the user's own."""
    return network.rpartition(":")[2]


def file_of(network: str) -> Path:
    """FILE of a network of the user's own."""
    return Path(network.rpartition(":")[0])


def short_name(network: str, sha256: str) -> str:
    """A name for folders, which no other file or function has; empty if it is none of the user's
    own."""
    if not is_own(network):
        return ""
    return f"{file_of(network).stem}-{function_name(network)}-{sha256[:6]}"


def digest(network: str) -> str:
    """The SHA-256 of the user's file. Raises DigitsError if it cannot be read."""
    return hashlib.sha256(_read(file_of(network))).hexdigest()


def content(network: str, sha256: str, copy: Path | None = None) -> bytes:
    """The file's content as it was when the run began: the user's file, or a copy of it.

    Raises DigitsError if it cannot be read, or is not the file that has this SHA-256.
    """
    path = copy or file_of(network)
    found = _read(path)
    if hashlib.sha256(found).hexdigest() == sha256:
        return found
    if copy:
        raise DigitsError(
            f"{path} is not the file that the run began with: its SHA-256 differs; put it back as "
            "it was, or start a new run."
        )
    raise DigitsError(f"{path} was changed since this command began; give the command again.")


def check_copy(network: str, sha256: str, copy: Path) -> None:
    """Checks the copy of a run that is resumed, and says so if the user's file is another by now.

    Raises DigitsError as `content` does.
    """
    content(network, sha256, copy)
    try:
        changed = digest(network) != sha256
    except DigitsError:  # moved, or the command runs in another folder
        return
    if changed:
        note(
            f"{file_of(network)} has changed since the run began, which goes on with its own copy, "
            f"{copy}; start a new run to train what the file says now."
        )


def named_by(function: Callable[..., Any]) -> str:
    """`FILE.py:FUNCTION` of a function that stands in a file. Raises DigitsError if it does not, as
    in a notebook, or is no longer the one in the file."""
    name, file = getattr(function, "__qualname__", ""), None
    if inspect.isfunction(function) and name.isidentifier():
        file = inspect.getsourcefile(function)
    if not file or not Path(file).is_file():
        raise DigitsError(
            "A run keeps the file of its network, and this function is not at the top of one; "
            f'write it into a file, in a notebook with %%writefile, and give network="{FORM}".'
        )
    path = Path(file).resolve()
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    network = f"{path}:{name}"
    if load(network, _read(path)).__code__ != function.__code__:
        raise DigitsError(f"{path} was changed since {name} was imported; import it again.")
    return network


def load(network: str, source: bytes) -> Any:
    """Runs the user's file, whose content is `source`, and returns its function.

    Raises DigitsError for whatever goes wrong there, with the line in the user's file.
    """
    path, name = file_of(network), function_name(network)
    if str(path) in _loading:
        raise DigitsError(
            f"{path} trains as soon as it is loaded, so it would load itself without end; put that "
            'below: if __name__ == "__main__":'
        )
    module = ModuleType(f"own_network_{path.stem}")
    module.__file__ = str(path.resolve())
    sys.modules[module.__name__] = module  # where dataclasses look up what their hints mean
    _loading.append(str(path))
    try:
        with blamed(network, source):
            # Not from the path: the file may be another by now.
            exec(compile(source, str(path), "exec"), vars(module))
    finally:
        _loading.pop()
    function = getattr(module, name, None)
    if not callable(function):
        there = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise DigitsError(f"{path} has no function {name}; it has {', '.join(there) or 'none'}.")
    return function


@contextmanager
def blamed(network: str, source: bytes) -> Iterator[None]:
    """Makes whatever the user's code raises in the block a DigitsError with the line that did."""
    path = file_of(network)
    try:
        yield
    except DigitsError:
        raise
    except (Exception, SystemExit) as error:
        raise DigitsError(_with_line(error, path, source)) from None


def _with_line(error: BaseException, path: Path, source: bytes) -> str:
    """What went wrong, in one sentence, with the line in the user's file that did it."""
    message = AFTERWARDS.sub("", COLOURS.sub("", str(error)))
    if isinstance(error, SyntaxError):
        number, message = (error.lineno if error.filename == str(path) else None), error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        number = next((f.lineno for f in reversed(frames) if f.filename == str(path)), None)
    reason = f"{type(error).__name__}: {' '.join(message.split())}".rstrip(": ").rstrip(".")
    if isinstance(error, ModuleNotFoundError):
        reason += "; a run keeps this one file, so it can import installed packages alone"
    if number is None:
        return f"{path}: {reason}."
    lines = source.decode("utf-8", "replace").splitlines()
    line = lines[number - 1].strip() if number <= len(lines) else ""
    return f"{path}, line {number}: {reason}; the line is: {line}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DigitsError(f"There is no file {path} with a network; name another.") from None
    except OSError as error:
        raise DigitsError(f"{path} with a network cannot be read ({error.strerror}).") from None
