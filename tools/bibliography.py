"""What the lessons link to outside of the series, as a page: `python -m tools.bibliography` writes REFERENCES.md."""

import re
from collections.abc import Iterator

from tools import notebooks
from tools.reading import text

PAGE = notebooks.ROOT / "docs" / "REFERENCES.md"
LINK = re.compile(r"\[([^\]\[]+)\]\((https?://(?:[^()\s]|\([^()\s]*\))+)\)")  # addresses may have parentheses
GITHUB = "https://github.com/"  # of repositories that the lessons call "code"
TITLE = """# References

Papers, code and pages that the lessons name, with the lessons that do. `python -m tools.bibliography` writes this page.

"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """A line for each address, in the order of the names."""
    lines = []
    for address, (name, numbers) in sorted(references().items(), key=lambda item: item[1][0].lower()):
        lessons = "lesson" if len(numbers) == 1 else "lessons"
        lines.append(f"- [{name}]({address}): {lessons} {', '.join(numbers)}")
    return TITLE + "\n".join(lines) + "\n"


def references() -> dict[str, tuple[str, list[str]]]:
    """By address: the longest name that a lesson gives it, and the numbers of the lessons."""
    named: dict[str, tuple[str, list[str]]] = {}
    for number, name, address in links():
        known, numbers = named.get(address, ("", []))
        named[address] = max(known, name, key=len), numbers if number in numbers else [*numbers, number]
    return named


def links() -> Iterator[tuple[str, str, str]]:
    """Number of the lesson, name and address of every link that leaves the series."""
    for source in notebooks.sources():
        for name, address in LINK.findall(text(source)):
            title = address.removeprefix(GITHUB) if address.startswith(GITHUB) else " ".join(name.split())
            yield source.stem[:2], title, address


if __name__ == "__main__":
    main()
