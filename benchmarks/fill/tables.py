"""Tables in Markdown."""

LINKED = "benchmarks/results"  # the result files, as a page at the top of the repository links them


def table(head: str, body: list[str]) -> str:
    """A table.

    Args:
        head: the names of the columns, separated by " | ".
        body: the rows, in the same form.
    """
    names = head.split(" | ")
    return "\n".join([f"| {head} |", "|" + "---|" * len(names), *(f"| {row} |" for row in body)])
