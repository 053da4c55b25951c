"""Does the program that the documentation shows read on a cluster of Ray's?"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from digits import Reader, bundle

pytest.importorskip("ray")
if not (bundle.SHIPPED / "manifest.json").exists():
    pytest.skip("the package holds no model yet", allow_module_level=True)

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "how-to" / "read-many-pictures.md"
SHEET = ROOT / "docs" / "figures" / "sheet.jpg"


def test_a_folder_is_read_by_two_processes(tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(import ray\n.*?)^```", PAGE.read_text(), re.M | re.S)
    folder = tmp_path / "pictures"
    folder.mkdir()
    expected = {}
    with Image.open(SHEET) as sheet:
        for number in range(6):
            path = folder / f"{number}.png"
            sheet.crop((0, 0, sheet.width, sheet.height - 30 * number)).save(path)
            expected[str(path)] = Reader().read(path).digits
    assert expected[str(folder / "0.png")] == "858961601784"
    (folder / "text.png").write_text("four\n")
    expected[str(folder / "text.png")] = "The picture is text, not a picture; save the picture as "

    program = program.replace("docs/figures/sheet.jpg", str(folder))
    program = program.replace("size=1", "size=2").replace("batch_size=16", "batch_size=2")
    start = (
        "import ray\nray.init('local', num_cpus=4, include_dashboard=False, log_to_driver=False, "
        "object_store_memory=100 << 20)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", start + program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)},
    )
    assert found.returncode == 0, found.stderr
    read = dict(line.split(" ", 1) for line in found.stdout.splitlines() if str(folder) in line)
    assert read.keys() == expected.keys()
    for name, digits in expected.items():
        assert read[name].startswith(digits)
