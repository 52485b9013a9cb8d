"""Looks into a packed workbook before anything parses it: a few kilobytes may unpack to all of the memory.

A workbook's parts are XML, which is parsed row by row. So they may be long, but not without end, and no row
or text may be longer than ``_PIECE``: it would be held in memory as a tree of a hundred times its size.
"""

import re
from pathlib import Path
from zipfile import ZipFile

from crmcore.imports.errors import UnreadableFile

_MOST = 512 << 20  # Bytes of XML; a million rows of ten columns have some 350 MB.
_PIECE = 4 << 20
# Parts that nobody asks for when the cells of a sheet are read, and how long they may be all the same.
_UNREAD = ("xl/calcChain", "xl/pivotCache/", "xl/externalLinks/", "xl/drawings/", "xl/comments", "customXml/")
_MOST_UNREAD = 128 << 20
# Parts without rows that grow with links and formats; they are parsed as one.
_WHOLE = (".rels", "/styles.xml")
_MOST_WHOLE = 16 << 20
_CHUNK = 1 << 20
# Ends of a row of a sheet, and of one of the texts that sheets share.
_END = re.compile(rb"</(\w+:)?(row|si)>|<(\w+:)?row\b[^<>]*/>")
_LONGEST_END = 64
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe \t\r\n\0"  # Byte order marks and blanks.
# No spreadsheet writes these, and an end inside them would be none.
_NO_DATA = re.compile(rb"<!|.<\?", re.DOTALL)


def require_bounded(path: Path, name: str) -> None:
    """Read every long part once, in little memory.

    Raises
    ------
    UnreadableFile : the workbook holds more than is read, or a row without end.
    """
    with ZipFile(path) as archive:
        long = [part for part in archive.infolist() if part.file_size > _PIECE]
        read = 0
        for part in long:
            if part.filename.startswith(_UNREAD) and part.file_size <= _MOST_UNREAD:
                continue
            read += _require_pieces(archive, part.filename, name)
            if read > _MOST:
                raise UnreadableFile(
                    f"{name} unpacks to more than {_MOST >> 20} MB; save the sheet as CSV, "
                    "which is read in blocks"
                )


def _require_pieces(archive: ZipFile, part: str, name: str) -> int:
    """How many bytes the part has, none if it is a picture or another thing that is not parsed."""
    longest = _MOST_WHOLE if part.endswith(_WHOLE) else _PIECE
    length = since_end = 0
    tail = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            if not length:
                chunk = chunk.lstrip(_BEFORE_XML)
                if not chunk.startswith(b"<"):
                    return 0
            seen = tail + chunk
            since_end = 0 if _END.search(seen) else since_end + len(chunk)
            if since_end >= longest or _NO_DATA.search(seen):
                raise UnreadableFile(
                    f"{name} is no workbook of records: {part} has a row without end, "
                    "or what no spreadsheet writes"
                )
            tail = seen[-_LONGEST_END:]
            length += len(chunk)
            if length > _MOST:
                break
    return length
