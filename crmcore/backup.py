"""A backup as one file: what is in it, and how a damaged one is told from a whole one.

A gzipped tar archive. Its first member, ``manifest.json``, names the product's version, the schema, the
rows of every table and the SHA-256 of every other member.
"""

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crmcore.errors import CrmError

FORMAT = 1
MANIFEST = "manifest.json"
SUFFIX = ".tar.gz"
_NAMES = frozenset({"database", "firm.yml", "tracker.db"})


class DamagedArchive(CrmError):
    """The archive is not whole; nothing was restored from it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is no whole backup: {why}; nothing was restored, take another one")


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself."""

    format: int
    product: str  # The version of the product that made it.
    made_at: str  # ISO 8601, UTC.
    database: str  # sqlite or postgresql: one is not restored into the other.
    revision: str  # Of the schema.
    rows: Mapping[str, int]
    members: Mapping[str, str]  # SHA-256 by name.

    @property
    def made(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


def write_archive(path: Path, manifest: Manifest, folder: Path) -> Manifest:
    """Pack the members that lie in ``folder``; readable by its owner alone, and whole or not there at all."""
    names = sorted(manifest.members)
    digests = {name: _digest(folder / name) for name in names}
    whole = Manifest(**{**asdict(manifest), "members": digests})
    unfinished = path.with_name(f".{path.name}.partial")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
                _add(archive, MANIFEST, io.BytesIO(json.dumps(asdict(whole), indent=2).encode()))
                for name in names:
                    with (folder / name).open("rb") as member:
                        _add(archive, name, member)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return whole


def unpack(path: Path, folder: Path) -> Manifest:
    """Check the whole archive and lay its members into ``folder``.

    Raises
    ------
    DamagedArchive : it cannot be read, a member is missing, strange, or is not what the manifest says.
    """
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            manifest = _manifest(path, archive)
            found = set()
            while (member := archive.next()) is not None:
                if member.name not in manifest.members or not member.isfile() or member.name in found:
                    raise DamagedArchive(path, f"it holds {member.name!r}, which its manifest does not name")
                found.add(member.name)
                _extract(archive, member, folder / member.name)
            for _ in _chunks(archive.fileobj):
                pass  # To the very end, where the checksum of the whole is.
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DamagedArchive(path, f"it cannot be read ({type(error).__name__})") from error
    for name, digest in manifest.members.items():
        if name not in found:
            raise DamagedArchive(path, f"{name} is missing")
        if _digest(folder / name) != digest:
            raise DamagedArchive(path, f"{name} has another checksum than its manifest says")
    return manifest


def is_member(name: str) -> bool:
    """Names that an archive may hold; a path that leads elsewhere is none."""
    return name in _NAMES or (name.startswith("secrets/") and name.count("/") == 1 and ".." not in name)


def _manifest(path: Path, archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or not first.isfile() or first.size > 1_000_000:
        raise DamagedArchive(path, "it does not begin with a manifest")
    file = archive.extractfile(first)
    assert file is not None
    try:
        found: Any = json.loads(file.read())
        if found["format"] != FORMAT:
            raise DamagedArchive(path, f"its format is {found['format']!r}, and this program reads {FORMAT}")
        manifest = Manifest(**found)
        datetime.fromisoformat(manifest.made_at)
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedArchive(path, "its manifest cannot be read") from error
    if "database" not in manifest.members or not all(is_member(name) for name in manifest.members):
        raise DamagedArchive(path, "its manifest names what no backup holds")
    return manifest


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = archive.extractfile(member)
    assert source is not None
    target.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in _chunks(source):
            file.write(chunk)


def _add(archive: tarfile.TarFile, name: str, content: Any) -> None:
    info = tarfile.TarInfo(name)
    content.seek(0, os.SEEK_END)
    info.size = content.tell()
    content.seek(0)
    info.mode = 0o600
    archive.addfile(info, content)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk


def older_than_kept(archives: Sequence[Path], keep: int) -> list[Path]:
    """Which of these archives, whose names sort by their time, are more than ``keep``.

    >>> older_than_kept([Path("rapport-2.tar.gz"), Path("rapport-1.tar.gz")], 1)
    [PosixPath('rapport-1.tar.gz')]
    """
    return sorted(archives, reverse=True)[keep:]


@contextmanager
def private_folder(home: Path) -> Iterator[Path]:
    """A folder for half-done work, for its owner alone and gone afterwards."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix=".backup-", dir=home) as name:
        yield Path(name)
