"""Which encoding a text file is in."""

import codecs
from typing import BinaryIO

from charset_normalizer import from_bytes

from crmcore.imports.errors import UnreadableFile

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
          (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_CHUNK = 1 << 20
_AROUND = 1 << 16
# What office programs of Europe write; to tell other code pages apart takes luck, so they must be named.
_CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254"]


def find_encoding(file: BinaryIO, given: str | None) -> str:
    """The encoding of the whole file, read to its end when it has no mark.

    UTF-8 is right when it fits to the last byte; what does not fit is a code page of one byte.
    """
    if given is not None:
        try:
            return codecs.lookup(given).name
        except LookupError:
            raise UnreadableFile(f"--encoding {given} is not known; utf-8, utf-16 and cp1252 are") from None
    start = file.read(_CHUNK)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    unmarked = _utf16_without_mark(start)
    if unmarked is not None:
        return unmarked
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = start
    while chunk:
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return _code_page(chunk[max(0, error.start - _AROUND) : error.start + _AROUND])
        chunk = file.read(_CHUNK)
    return "utf-8"


def _utf16_without_mark(start: bytes) -> str | None:
    """Latin text in UTF-16 has a zero in every other byte."""
    head = start[:1024]
    if head[1::2].count(0) > 0.4 * len(head) / 2:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > 0.4 * len(head) / 2 else None


def _code_page(sample: bytes) -> str:
    best = from_bytes(sample, cp_isolation=_CODE_PAGES).best()
    if best is None:
        return "latin-1"  # It gives every byte a meaning.
    return "cp1252" if _same_text(sample, "cp1252", best.encoding) else best.encoding


def _same_text(sample: bytes, one: str, other: str) -> bool:
    return sample.decode(one, "replace") == sample.decode(other, "replace")
