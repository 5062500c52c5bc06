"""Natural keys: how a record is recognised in Swoogo while its id is unknown (G2, S5, P2).

A speaker by e-mail address, a session by name, date and start, everything else by name.
"""

from __future__ import annotations

from dataclasses import replace

from consumer.domain.records.identity import Fields, Kind, kind_of
from consumer.domain.records.ledger import Entry
from consumer.domain.records.text import former_natural, natural_email, natural_name


def natural_key(kind: Kind, fields: Fields) -> str:
    """The natural key of a record with these fields, in our names; what it does not hold counts as empty."""
    if kind is Kind.SPEAKER:
        return natural_email(fields.get("email", ""))
    if kind is Kind.SESSION:
        return session_key(fields.get("name", ""), fields.get("date", ""), fields.get("start_time", ""))
    return natural_name(fields.get("name", ""))


def session_key(name: str, date: str, start_time: str) -> str:
    return f"{natural_name(name)}|{date}|{start_time}"


def with_current_key(key: str, entry: Entry) -> Entry:
    pushed = entry.pushed
    if _same_in_all_forms(entry.natural) and (pushed.get("name", "") + pushed.get("email", "")).isascii():
        return entry  # nearly all of many thousands
    natural = current_key(kind_of(key), entry.natural, pushed)
    return entry if natural == entry.natural else replace(entry, natural=natural)


def current_key(kind: Kind, natural: str, pushed: Fields | None = None) -> str:
    """A natural key in today's form; earlier builds wrote it trimmed and case-folded.

    Folding lost a difference (`ß` became `ss`), which the value that was pushed still shows where it is short.

    `pushed`: what the ledger keeps of the values that were pushed.
    """
    field = "email" if kind is Kind.SPEAKER else "name"
    value = pushed.get(field, "") if pushed else ""
    # A digest of a long value is ASCII too.
    if _same_in_all_forms(natural) and value.isascii():
        return natural
    if kind is not Kind.SESSION:
        form = natural_email if kind is Kind.SPEAKER else natural_name
        return form(value if former_natural(value) == natural else natural)
    name, *moment = natural.rsplit("|", 2)
    return "|".join([natural_name(value if former_natural(value) == name else name), *moment])


def _same_in_all_forms(natural: str) -> bool:
    return natural.isascii() and natural.isprintable() and "  " not in natural
