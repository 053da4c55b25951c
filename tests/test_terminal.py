"""Does standard error get our own lines, and none of those that libraries write?"""

import os
import platform
import subprocess
import sys
from importlib import import_module

import pytest

from digits import terminal
from digits.errors import DigitsError


def test_only_our_own_lines_arrive_from_nested_blocks_too(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = sys.stderr
    with terminal.own_words_only():
        os.write(2, b"a library\n")
        terminal.note("one")
        with terminal.own_words_only():
            os.write(2, b"a library\n")
            terminal.note("two")
        os.write(2, b"a library\n")
        terminal.note("three ×\ud800")  # half a character, as in a file name, is no error
    assert sys.stderr is before
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "one\ntwo\nthree ×\\ud800\nafterwards\n"


def test_an_error_passes_and_standard_error_is_restored(capfd: pytest.CaptureFixture[str]) -> None:
    before, files = sys.stderr, len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    with pytest.raises(DigitsError, match="wrong"), terminal.own_words_only():
        raise DigitsError("wrong")
    assert sys.stderr is before
    if files:
        assert len(os.listdir("/dev/fd")) == files  # none left open


def test_a_greeting_is_dropped_and_the_rest_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with terminal.importing_tensorflow():
        os.write(2, b"I0000 oneDNN custom operations are on.\nsomething else\n")
    assert capfd.readouterr().err == "something else\n"


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is of x86 here")
def test_training_uses_onednn_on_any_x86_unless_the_environment_says_otherwise() -> None:
    """oneDNN itself reports each convolution if ONEDNN_VERBOSE is set."""
    convolve = """if True:
        from digits.terminal import importing_tensorflow
        with importing_tensorflow():
            import tensorflow as tf
        tf.nn.conv2d(tf.ones((1, 8, 8, 1)), tf.ones((3, 3, 1, 8)), 1, "SAME")
    """
    for given, computed in (({}, True), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, False)):
        unset = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
        environment = unset | given | {"ONEDNN_VERBOSE": "1"}
        command = [sys.executable, "-c", convolve]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert (",convolution," in result.stdout) == computed


def test_without_a_terminal_there_is_no_bar() -> None:
    items = list(range(100))
    assert terminal.watched(items, "picture") is items  # standard error is no terminal here


def test_a_missing_library_is_named_and_a_missing_module_of_ours_is_a_fault() -> None:
    missing = pytest.raises(DigitsError, match="nowhere is not installed, which x needs")
    with missing, terminal.needing("x"):
        import_module("nowhere.at.all")
    with pytest.raises(ModuleNotFoundError), terminal.needing("x"):
        import_module("digits.nowhere")
