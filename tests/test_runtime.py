"""LiteRT gives what the bundle's golden outputs say, by either way in which it is run."""

import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from digits import bundle
from digits.runtime import Model


@pytest.mark.parametrize("signature", ["canvas", "digit", *bundle.LINE_WIDTHS])
def test_the_shipped_model_gives_its_golden_outputs(signature: str) -> None:
    shipped = bundle.read()
    with np.load(bundle.SHIPPED / "golden.npz") as file:
        golden = dict(file)
    model = Model(shipped.model)
    for index, image in enumerate(golden[f"{signature}_input"]):
        for name, values in model.run(signature, image).items():
            expected = golden[f"{signature}_{name}"][index]
            tolerance = 255e-4 if name == "digit" else 1e-4
            found = values[0]
            if name == "log_probabilities":
                found, expected = np.exp(found), np.exp(expected)
            np.testing.assert_allclose(found, expected, atol=tolerance, rtol=0)


def test_a_narrow_strip_shows_what_a_wide_one_does() -> None:
    """Where there is nothing but paper beside it, the weights being the same."""
    model = Model(bundle.read().model)
    strip = np.zeros((32, 48), np.uint8)
    strip[7:25, 22:25] = 255  # a one
    likely = {}
    for name, width in bundle.LINE_WIDTHS.items():
        beside = (width - 48) // 2
        wide = np.pad(strip, ((0, 0), (beside, beside)))
        steps = np.exp(model.run(name, wide)["log_probabilities"][0])
        likely[name] = steps[beside // 2 :][:24]
        assert steps.shape == (width // 2, 21)
    for steps in likely.values():
        np.testing.assert_allclose(steps, likely["line"], atol=0.05)
        assert {*steps.argmax(axis=1).tolist()} == {1, 20}  # and the blank


def test_the_interpreter_itself_gives_what_the_signature_runner_gives() -> None:
    """`Model` runs a canvas without the runner, by the indices of its tensors."""
    content = bundle.read().model
    canvas = np.zeros((256, 256), np.uint8)
    canvas[60:190, 120:140] = 255
    runner = Interpreter(model_content=content, num_threads=1).get_signature_runner("canvas")
    expected = runner(canvas=canvas[None])
    outputs = Model(content).run("canvas", canvas)
    assert outputs.keys() == expected.keys() == {"probabilities", "is_digit", "digit"}
    for name, values in outputs.items():
        np.testing.assert_array_equal(values, expected[name])


def test_the_outputs_stay_as_they_are_when_the_model_runs_again() -> None:
    model = Model(bundle.read().model)
    first = model.run("canvas", np.full((256, 256), 255, np.uint8))["probabilities"]
    kept = first.copy()
    other = np.zeros((256, 256), np.uint8)
    other[60:190, 120:140] = 255
    assert (model.run("canvas", other)["probabilities"] != kept).any()
    np.testing.assert_array_equal(first, kept)


def test_a_program_that_reads_hears_nothing_of_the_runtime_and_all_of_its_own() -> None:
    program = """if True:
        import sys
        import numpy as np
        from digits import Reader
        Reader().canvas(np.zeros((256, 256), np.uint8))
        print("own words", file=sys.stderr)
    """
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("", "own words\n")
