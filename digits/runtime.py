"""Runs a bundle's model with LiteRT: the one place that does."""

import threading
from collections.abc import Callable
from functools import cached_property

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from digits.terminal import own_words_only

Image = NDArray[np.uint8]
Outputs = dict[str, NDArray[np.float32]]

# When a process first computes, LiteRT says on standard error what with. Nobody asked, and in a
# notebook it would stand below the answer.
_announced, _announcing = threading.Event(), threading.Lock()


class Model:
    """A model of the signatures `canvas`, `digit` and perhaps `line`, as the bundle's contract
    describes them.

    It computes on one thread, and only one thread may call it at a time.
    """

    def __init__(self, content: bytes) -> None:
        """Takes the content of `digits.tflite`; each signature is opened when it is first run."""
        self._content = content

    def run(self, signature: str, image: Image) -> Outputs:
        """What the model gives for one image.

        Args:
            signature: "canvas", "digit" or "line".
            image: uint8 of shape (256, 256), (28, 28) or (32, 192), ink bright on 0.

        Returns:
            float32 arrays by name, each with a leading 1 in its shape: `probabilities` (1, 10) and
            `is_digit` (1,), and for a canvas also `digit` (1, 28, 28), what the network saw; for a
            line, `log_probabilities` (1, 96, 21).
        """
        if not _announced.is_set():
            with _announcing, own_words_only():
                outputs = self._run(signature, image)
            _announced.set()
            return outputs
        return self._run(signature, image)

    def _run(self, signature: str, image: Image) -> Outputs:
        if signature == "canvas":
            return self._canvas(image)
        return self._runners[signature](**{signature: image[None]})

    @property
    def signatures(self) -> list[str]:
        """The names of its signatures."""
        return ["canvas", *self._runners]

    @cached_property
    def _canvas(self) -> Callable[[Image], Outputs]:
        """The signature `canvas`, on the interpreter itself, which is faster than by its runner."""
        interpreter = Interpreter(model_content=self._content, num_threads=1)
        runner = interpreter.get_signature_runner("canvas")
        at = runner.get_input_details()["canvas"]["index"]
        outputs = {name: output["index"] for name, output in runner.get_output_details().items()}
        del runner  # or the interpreter refuses to be used directly
        interpreter.allocate_tensors()

        def run(image: Image) -> Outputs:
            interpreter.set_tensor(at, image[None])
            interpreter.invoke()
            return {name: interpreter.get_tensor(index) for name, index in outputs.items()}

        return run

    @cached_property
    def _runners(self) -> dict[str, Callable[..., Outputs]]:
        """The other signatures, by their runners: an interpreter has the inputs of one only."""
        names = Interpreter(model_content=self._content, num_threads=1).get_signature_list()
        return {name: self._runner(name) for name in names if name != "canvas"}

    def _runner(self, signature: str) -> Callable[..., Outputs]:
        interpreter = Interpreter(model_content=self._content, num_threads=1)
        return interpreter.get_signature_runner(signature)
