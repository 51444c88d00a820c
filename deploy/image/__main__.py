"""`python -m deploy.image [FILE]` (`make image`): the image, and an archive of it for machines that
have no registry: `docker load -i FILE`, `podman load -i FILE`."""

import sys
from pathlib import Path

from deploy.image.build import NAME, build
from deploy.image.engine import Engine, found
from deploy.local.process import say
from shared.errors import YiwangError

ARCHIVE = Path("dist") / "yiwang.tar"


def main() -> None:
    """Entry point; says what it made on standard output."""
    archive = Path(sys.argv[1]) if len(sys.argv) > 1 else ARCHIVE
    try:
        engine = found()
        build(engine)
        keep(engine, archive)
    except YiwangError as error:
        sys.exit(f"yiwang: {error}")
    size = engine.size(NAME) / 1e6
    print(f"{NAME}: {size:.0f} MB; {archive}: {archive.stat().st_size / 1e6:.0f} MB")


def keep(engine: Engine, archive: Path) -> None:
    """The image as one file, by the rules of OCI (Docker's own `save` follows them)."""
    say(f"writing {archive}")
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.unlink(missing_ok=True)
    form = ["--quiet", "--format", "oci-archive"] if engine.name == "podman" else []
    engine.run("save", *form, "--output", str(archive), NAME)


if __name__ == "__main__":
    main()
