"""Runs the notebooks in docs/notebooks and keeps their outputs: python docs/run_notebooks.py

They are kept in the repository with their outputs, so that they can be read where nothing is
installed, and the site is built without TensorFlow; tests/test_notebooks.py makes them again. Cells
tagged `varies` show figures that differ a little between machines.
"""

import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat

NOTEBOOKS = sorted((Path(__file__).parent / "notebooks").glob("*.ipynb"))
SECONDS = 300  # that a cell may take


def executed(path: Path) -> Any:
    """A notebook of nbformat with the outputs that it has here and now; what it writes is removed.

    Raises nbclient's CellExecutionError if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        nbclient.NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        ).execute()
    notebook.metadata.pop("language_info", None)  # which names the version of Python
    return notebook


def main() -> None:
    for path in NOTEBOOKS:
        nbformat.write(executed(path), path)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
