"""The Open Inference Protocol, version 2: tensors over HTTP, as KServe and Triton use it.

Both signatures of the bundle are models, `canvas` and `digit`. Tensors travel as JSON or, with the
extension `binary_tensor_data`, as bytes after the JSON.
"""
