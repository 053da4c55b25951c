"""ONNX Runtime answers as Keras does, for one image and for many, or nothing is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from scipy.special import erfc
from tf2onnx import convert

from digits import bundle
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.runtime import Model
from digits.training.exporting.onnx_files import HANDLERS, OPSET, _runtime, onnx_files

if not (bundle.SHIPPED / "manifest.json").exists():
    pytest.skip("the package holds no model yet", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the shipped model's files, which the command wrote."""
    folder = tmp_path_factory.mktemp("onnx") / "new" / "folder"
    command = [sys.executable, "-c", "import sys; from digits.cli import main; sys.exit(main())"]
    done = subprocess.run([*command, "export", "--out", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = ["digit", "canvas", *bundle.LINE_WIDTHS]
    assert done.stdout.splitlines() == [str(folder / f"{name}.onnx") for name in names]
    return folder


def test_many_images_are_answered_as_litert_answers_each(folder: Path, mnist: Mnist) -> None:
    session = onnxruntime.InferenceSession(folder / "digit.onnx")
    images = mnist.test_images[:100]
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"digit": images}), strict=True))
    model = Model(bundle.read().model)
    for number, image in enumerate(images):
        for name, expected in model.run("digit", image).items():
            np.testing.assert_allclose(found[name][number], expected[0], atol=1e-4)


@pytest.mark.parametrize("name", ["digit", "canvas", *bundle.LINE_WIDTHS])
def test_the_contract_is_in_the_file(folder: Path, name: str) -> None:
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    (taken,) = session.get_inputs()
    assert (taken.name, taken.type) == (name, "tensor(uint8)")
    assert {given.shape[0] for given in (taken, *session.get_outputs())} == {"n"}
    about = session.get_modelmeta().custom_metadata_map
    shape = ", ".join(map(str, taken.shape))
    assert about["contract"].startswith(f"uint8 ({shape}): ")
    manifest = bundle.read().manifest
    assert json.loads(about["thresholds"]) == manifest["thresholds"]
    assert about["commit"] == str(manifest["commit"])


def _copy_with(tmp_path: Path, name: str, content: bytes) -> bundle.Bundle:
    """The shipped bundle with another file, in agreement with its manifest."""
    shipped = bundle.read()
    files = {one: shipped.file(one) for one in shipped.manifest["files"]} | {name: content}
    bundle.write(tmp_path / "bundle", files, shipped.manifest)
    return bundle.read(tmp_path / "bundle")


def test_another_answer_than_the_golden_one_is_refused(tmp_path: Path) -> None:
    golden = dict(np.load(bundle.SHIPPED / "golden.npz"))
    golden["digit_probabilities"][0] = golden["digit_probabilities"][0][::-1]
    np.savez_compressed(tmp_path / "golden.npz", **golden)
    changed = _copy_with(tmp_path, "golden.npz", (tmp_path / "golden.npz").read_bytes())
    with pytest.raises(DigitsError, match=r"digit\.onnx differs from Keras .* in probabilities"):
        onnx_files(changed)


def test_a_damaged_network_is_refused_by_name(tmp_path: Path) -> None:
    shutil.copytree(bundle.SHIPPED, tmp_path / "bundle")
    (tmp_path / "bundle" / "model.keras").write_bytes(b"")
    with pytest.raises(DigitsError, match=r"model\.keras is not the file"):
        onnx_files(bundle.read(tmp_path / "bundle"))


def test_the_error_function_of_gelu_is_converted() -> None:
    numbers = np.linspace(-3, 3, 7, dtype=np.float32)
    function = tf.function(tf.math.erfc, input_signature=[tf.TensorSpec((7,), tf.float32, "x")])
    converted, _ = convert.from_function(
        function,
        function.input_signature,
        opset=OPSET,
        custom_op_handlers=HANDLERS,
    )
    session = onnxruntime.InferenceSession(converted.SerializeToString())
    np.testing.assert_allclose(session.run(None, {"x": numbers})[0], erfc(numbers), atol=1e-6)


def test_what_onnx_runtime_lacks_is_told_in_a_sentence() -> None:
    node = onnx.helper.make_node("NoSuch", ["x"], ["y"], name="layer")
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "digit", ends[:1], ends[1:])
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    with pytest.raises(DigitsError, match=r"ONNX Runtime cannot run digit.onnx \(.*NoSuch.*\); do"):
        _runtime(model.SerializeToString(), "digit")
