"""What a field is made of: a column, a constant, or sums and products of them (``quantity*unit_price``)."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from crmcore.imports.errors import WrongMapping

_SPLIT = re.compile(r'\s*("[^"]+"|[-+*])\s*')
_CONSTANT = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Column:
    """A column of the file, by its place from 0."""

    place: int


@dataclass(frozen=True)
class Product:
    """Factors that are multiplied; ``sign`` is 1 or -1."""

    sign: int
    factors: tuple[Column | Decimal, ...]


@dataclass(frozen=True)
class Expression:
    """Either ``constant`` (the text after ``=``) or a sum of ``products``; ``text`` is what was written."""

    text: str
    products: tuple[Product, ...] = ()
    constant: str | None = None

    @property
    def column(self) -> Column | None:
        """The one column that the field is, when it is no more than that."""
        if len(self.products) != 1 or self.products[0].sign < 0 or len(self.products[0].factors) != 1:
            return None
        factor = self.products[0].factors[0]
        return factor if isinstance(factor, Column) else None

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(f for p in self.products for f in p.factors if isinstance(f, Column))


def read_expression(text: str, names: Sequence[str], *, header: bool) -> Expression:
    """What ``text`` means in a file with these columns.

    With a ``header`` columns are named; without one they are numbered from 1 and ``names`` are the numbers.
    A name that holds ``+``, ``-`` or ``*`` may be put in double quotes; a number with a decimal point is a
    constant factor, and ``=text`` is a constant for every row.

    >>> read_expression("price*qty-off", ["qty", "price", "off"], header=True).products[0]
    Product(sign=1, factors=(Column(place=1), Column(place=0)))

    Raises
    ------
    WrongMapping : a column is not there, or the text is no sum of products.
    """
    if text.startswith("="):
        if not text[1:].strip():
            raise WrongMapping("a constant is written =TEXT after the field, such as amount==1.00")
        return Expression(text, constant=text[1:].strip())
    place = _find(text, names)
    if place is not None:
        return Expression(text, (Product(1, (Column(place),)),))
    parts = [part for part in _SPLIT.split(text) if part.strip()]
    products: list[Product] = []
    sign, factors, expects_factor = 1, list[Column | Decimal](), True
    if parts and parts[0] in "+-" and len(parts) > 1:
        sign = -1 if parts.pop(0) == "-" else 1
    for part in parts:
        is_operator = part in ("+", "-", "*")
        if is_operator == expects_factor:
            raise WrongMapping(f"{text!r} is no sum of products such as quantity*unit_price-discount")
        if not is_operator:
            factors.append(_factor(part, names, header=header))
        elif part != "*":
            products.append(Product(sign, tuple(factors)))
            sign, factors = (-1 if part == "-" else 1), []
        expects_factor = not expects_factor
    if expects_factor:
        raise WrongMapping(f"{text!r} is no sum of products such as quantity*unit_price-discount")
    products.append(Product(sign, tuple(factors)))
    return Expression(text, tuple(products))


def _factor(part: str, names: Sequence[str], *, header: bool) -> Column | Decimal:
    name = part.strip('"').strip()
    place = _find(name, names)
    if place is not None:
        return Column(place)
    if _CONSTANT.fullmatch(name):
        return Decimal(name)
    raise WrongMapping(_no_such_column(name, names, header=header))


def _find(name: str, names: Sequence[str]) -> int | None:
    wanted = name.strip()
    if wanted in names:
        return names.index(wanted)
    alike = [i for i, known in enumerate(names) if known.strip().casefold() == wanted.casefold()]
    return alike[0] if len(alike) == 1 else None


def _no_such_column(name: str, names: Sequence[str], *, header: bool) -> str:
    if not header:
        return f"there is no column {name!r}: without a header line columns are the numbers 1 to {len(names)}"
    known = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
    close = difflib.get_close_matches(name, names, 1, 0.6)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    if name.isdigit():
        hint = f" Columns go by number with --no-header only; a constant is written =={name}."
    return f"there is no column {name!r}; the file has {known}.{hint}"
