"""`make reference`: docs/reference, made from what the services say of themselves."""

from pathlib import Path

from deploy.reference.pages import pages
from deploy.reference.source import documents

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def main() -> None:
    """Write every page anew; pages that are no longer made go."""
    made = pages(*documents())
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
