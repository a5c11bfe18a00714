"""The command that builds the guest image: ``python -m lab.guest_image.build --output FILE``.

Skipped when the file is there and was made of the same sources; ``--force`` builds anyway, of the newest
packages.
"""

import argparse
import hashlib
import pathlib
import sys
import tempfile

from lab.guest_image import disk, packages, tree

HERE = pathlib.Path(__file__).parent


def main() -> None:
    """Builds, and says what was built."""
    arguments = _parser().parse_args()
    stamp = arguments.output.with_name(arguments.output.name + ".sources")
    sources = _sources()
    if not arguments.force and _is_current(arguments.output, stamp, sources):
        print(f"{arguments.output} is up to date")
        return
    try:
        build(arguments.output, arguments.cache)
    except (packages.PackageError, tree.TreeError) as error:
        sys.exit(f"error: {error}")
    stamp.write_text(sources)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


def build(output: pathlib.Path, cache: pathlib.Path) -> None:
    """Writes the qcow2; ``cache`` keeps packages between builds. Needs root, for the owners of files."""
    output.parent.mkdir(parents=True, exist_ok=True)
    stage = packages.unpacked(cache.resolve())
    with tempfile.TemporaryDirectory(prefix="guest-image-") as name:
        work = pathlib.Path(name)
        root, early = work / "root", work / "initramfs"
        root.mkdir()
        early.mkdir()
        tree.build_root(stage, root)
        parts = (tree.kernel(stage), tree.build_initramfs(stage, early), root)
        disk.to_qcow2(disk.write(stage, parts, work), output)


def _is_current(output: pathlib.Path, stamp: pathlib.Path, sources: str) -> bool:
    return output.exists() and stamp.exists() and stamp.read_text() == sources


def _sources() -> str:
    """Stands for all files of this folder."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(HERE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("/var/lib/cumulet/guest.qcow2"))
    parser.add_argument("--cache", type=pathlib.Path, default=HERE.parents[1] / ".cache/guest_image")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed here")
    return parser


if __name__ == "__main__":
    main()
