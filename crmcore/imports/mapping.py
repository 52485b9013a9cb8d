"""Which column means what: as the operator says it, as a saved file says it, or as the names suggest."""

import difflib
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass

from crmcore.imports.errors import WrongMapping
from crmcore.imports.expressions import Column, Expression, read_expression
from crmcore.imports.fields import FIELDS, Field, Kind


@dataclass(frozen=True)
class Mapping:
    """The columns of each mapped field; ``guessed`` are the fields that nobody named."""

    kind: Kind
    expressions: Dictionary[str, Expression]
    guessed: tuple[str, ...] = ()

    def __contains__(self, field: str) -> bool:
        return field in self.expressions

    def texts(self) -> dict[str, str]:
        """As an operator would write it."""
        return {field: expression.text for field, expression in self.expressions.items()}

    def columns_read_as(self, reading: str) -> tuple[Column, ...]:
        """The columns that are read as numbers, moments or text, each once."""
        found = [
            column
            for field in FIELDS[self.kind]
            if field.name in self.expressions and field.reading == reading
            for column in self.expressions[field.name].columns
        ]
        return tuple(dict.fromkeys(found))


def split_pairs(pairs: Sequence[str], option: str, example: str) -> dict[str, str]:
    """``FIELD=TEXT`` options as a dictionary; raises WrongMapping with an example."""
    found: dict[str, str] = {}
    for pair in pairs:
        field, separator, text = pair.partition("=")
        if not separator or not field.strip() or not text.strip():
            raise WrongMapping(f"{option} {pair!r} is not understood; write {option} {example}")
        if field.strip() in found:
            raise WrongMapping(f"{option} names {field.strip()!r} twice")
        found[field.strip()] = text.strip()
    return found


def read_mapping(kind: Kind, given: Dictionary[str, str], names: Sequence[str], *, header: bool) -> Mapping:
    """The mapping that ``given`` says for a file with these columns, completed by the usual names.

    Raises
    ------
    WrongMapping : a field or a column is unknown, two ways contradict, or a needed field is not found.
    """
    fields = {field.name: field for field in FIELDS[kind]}
    for name in given:
        if name not in fields:
            raise WrongMapping(_no_such_field(name, kind))
    expressions = {name: read_expression(text, names, header=header) for name, text in given.items()}
    for name, expression in expressions.items():
        if fields[name].reading != "number" and expression.constant is None and expression.column is None:
            raise WrongMapping(
                f"{name} is no number, so it is one column or a constant, not {expression.text!r}"
            )
    guessed = _guess(fields, expressions, names) if header else {}
    mapping = Mapping(kind, {**expressions, **guessed}, tuple(guessed))
    _check(mapping, names, header=header)
    return mapping


def _guess(
    fields: Dictionary[str, Field], given: Dictionary[str, Expression], names: Sequence[str]
) -> dict[str, Expression]:
    """Fields that nobody named, by the usual names of columns that nobody used."""
    used = {column.place for expression in given.values() for column in expression.columns}
    free = {_squeeze(name): name for i, name in enumerate(names) if i not in used}
    found: dict[str, Expression] = {}
    margins = {"margin", "margin_share", "cost"}
    for field in fields.values():
        if field.name in given or (field.name in margins and margins & {*given, *found}):
            continue
        name = next((free.pop(usual) for usual in field.usual if usual in free), None)
        if name is not None:
            found[field.name] = read_expression(f'"{name}"' if '"' not in name else name, names, header=True)
            found[field.name] = Expression(name, found[field.name].products)
    if "amount" in found and "quantity" in {**given, **found} and _squeeze(found["amount"].text) == "price":
        del found["amount"]  # A price beside a count is the price of one.
    if "amount" in fields and "amount" not in {**given, **found} and "quantity" in {**given, **found}:
        price = next(
            (n for n in names if _squeeze(n) in ("unitprice", "price", "priceperunit", "einzelpreis")), None
        )
        quantity = {**given, **found}["quantity"]
        if price is not None and quantity.column is not None:
            found["amount"] = read_expression(
                f'"{names[quantity.column.place]}"*"{price}"', names, header=True
            )
    return found


def _check(mapping: Mapping, names: Sequence[str], *, header: bool) -> None:
    missing = [f for f in FIELDS[mapping.kind] if f.required and f.name not in mapping]
    if missing:
        columns = ", ".join(names[:30]) if header else f"the numbers 1 to {len(names)}"
        wanted = "; ".join(f"{f.name} ({f.meaning})" for f in missing)
        options = " ".join(f"--map {f.name}=COLUMN" for f in missing)
        hint = " (a log without amounts: --map amount==1.00)" if missing[-1].name == "amount" else ""
        raise WrongMapping(
            f"it is not clear which column is {wanted}. The columns are {columns}. Say {options}{hint}"
        )
    ways = [name for name in ("margin", "margin_share", "cost") if name in mapping]
    if len(ways) > 1:
        raise WrongMapping(f"{' and '.join(ways)} say the margin in two ways; map one of them")
    if mapping.kind == "customers" and len(mapping.expressions) == 1:
        raise WrongMapping(
            "a file of customers tells more than their ids; map one of "
            + ", ".join(f.name for f in FIELDS["customers"][1:])
        )


def _no_such_field(name: str, kind: Kind) -> str:
    known = [field.name for field in FIELDS[kind]]
    close = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"there is no field {name!r} in {kind}; the fields are {', '.join(known)}.{hint}"


def _squeeze(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
