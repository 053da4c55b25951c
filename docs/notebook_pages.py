"""The notebooks as pages of the site, as a hook of MkDocs.

Each becomes a page of the site's own kind, with the outputs that are kept in it, so that code,
colours, search and phone widths are as everywhere. The notebook itself lies beside it.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

Cell = dict[str, Any]


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """MkDocs calls this with all files of the site, before it makes the navigation."""
    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            assert file.abs_src_path
            page, pictures = page_of(Path(file.abs_src_path))
            address = file.src_uri.removesuffix(".ipynb") + ".md"
            files.append(File.generated(config, address, content=page))
            folder = file.src_uri.rpartition("/")[0]
            for name, content in pictures.items():
                files.append(File.generated(config, f"{folder}/{name}", content=content))
    return files


def page_of(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook in Markdown, and its pictures by the names of their files."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(re.sub(r"\]\(([\w-]+)\.ipynb\)", r"](\1.md)", text))
            continue
        parts.append(f"```python\n{text}\n```")
        for number, output in enumerate(cell["outputs"]):
            picture = f"{path.stem}-{cell['id']}-{number}.png"
            parts.append(shown(output, picture, cell["metadata"].get("alt", "")))
            if png := output.get("data", {}).get("image/png"):
                pictures[picture] = base64.b64decode("".join(png))
    download = f"[Download this notebook]({path.name}) to run it in Jupyter or VS Code."
    return "\n\n".join([parts[0], download, *parts[1:]]), pictures


def shown(output: Cell, picture: str, alt: str) -> str:
    """An output in Markdown: a picture, by the name of its file, or text."""
    data = output.get("data", {})
    if "image/png" in data:
        return f"![{alt}]({picture})"
    text = "".join(output.get("text") or data["text/plain"]).strip("\n")
    said = " .said" if output.get("name") == "stderr" else ""
    return f"``` {{ .text .output{said} .no-copy }}\n{text}\n```"
