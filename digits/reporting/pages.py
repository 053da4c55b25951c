"""HTML pages, each one file that holds its pictures: the templates in templates/, filled in."""

import base64
import io
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from digits.data.mnist import Bytes


def render(template: str, **values: Any) -> bytes:
    """Fills a template; values are escaped, and a missing one is an error."""
    environment = Environment(
        loader=PackageLoader("digits.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=lambda share, places=2: f"{share:.{places}%}",
        thousands=lambda number: f"{number:,}",
        picture=_picture,
        embedded=lambda path: _address(path.read_bytes()),
    )
    return environment.get_template(template).render(values).encode()


def _picture(digit: Bytes) -> str:
    """The address of a digit's picture, dark on white, which holds the picture itself."""
    buffer = io.BytesIO()
    Image.fromarray(255 - digit).save(buffer, "png", optimize=True)
    return _address(buffer.getvalue())


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
