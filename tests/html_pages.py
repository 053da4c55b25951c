"""What a browser would find in an HTML page."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page's text, tables and lists, and what it loads. Fails on an element left open."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.lists: list[list[str]] = []
        self.facts: dict[str, str] = {}
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "img":
            assert named["alt"]
            self.sources.append(named["src"] or "")
        self.links += [named[key] or "" for key in ("href", "action") if key in named]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "ol":
            self.lists.append([])
        elif tag == "li":
            self.lists[-1].append("")
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data
        elif "li" in self.open:
            self.lists[-1][-1] += data
        elif self.open and self.open[-1] == "dt":
            self._fact = data
        elif self.open and self.open[-1] == "dd":
            self.facts[self._fact] = data

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_page(text: str) -> Page:
    """Parses a page; fails if an element is left open."""
    page = Page()
    page.feed(text)
    assert page.open == []
    return page
