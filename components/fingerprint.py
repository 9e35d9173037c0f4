"""Whether files are still the ones that a cached result was made of."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def fingerprint(folder: Path, paths: Iterable[str]) -> str:
    """A digest of files' names, sizes and times, which is quick even for folders of large files.

    Args:
        folder: Where the files lie.
        paths: Their paths in it, with `/`, in an order that does not depend on the file system. A link to nowhere is itself
            looked at.

    Returns:
        Hexadecimal SHA-256; it changes when a file is added, removed, renamed or written.
    """
    digest = hashlib.sha256()
    for relative in paths:
        path = folder / relative
        status = path.stat() if path.exists() else path.lstat()
        digest.update(f"{relative!r} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
