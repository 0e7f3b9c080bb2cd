# SPDX-License-Identifier: Apache-2.0
"""pydantic's findings in the house's words: what is wrong, what to write instead.

The law of the module: one line, whatever the file holds; a finding that is not in the
tables is told in pydantic's own words.
"""

from __future__ import annotations

from typing import Any

#: A value longer than this is recognised by its beginning.
MAX_VALUE = 60

_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "dataclass_type": "a table",
    "string_type": "a text in quotes",
}
_BOUNDS = {
    "greater_than": ("too small, use more than", "gt"),
    "greater_than_equal": ("too small, use at least", "ge"),
    "less_than_equal": ("too big, use at most", "le"),
}
_FORMS = {
    "is_shard": "00 to 15",
    "is_identifier": "2 to 31 small letters, digits and hyphens",
    "is_broker": "a broker such as 'mqtt.example.org:8883' or '[2001:db8::1]:8883'",
    "is_operator": "an operator such as 'op-chen:' and his key, 64 hex digits",
    "is_hours": "hours such as 'mon-fri 08:00-22:00; sat,sun 09:00-12:00'",
    "is_windows": "hours such as '09:00-12:00 14:00-18:00', or '' for closed",
    "is_time": "a time such as 22:00",
    "is_host_name": "small letters, digits, dots and hyphens",
    "is_web_address": "an address such as 'https://platform.example.org/door'",
    "is_own_address": "one address of this box, such as '192.168.1.10'",
    "is_language": "a language such as zh-CN, yue or en",
    "is_quiet_time": "hours such as '22:00-07:00', or '' for none",
    "is_stick_folder": "a folder such as '/media/MENSHEN', or '/media/*/MENSHEN'",
    "is_date": "a date such as 2026-10-01",
}


def words(entry: Any) -> str:
    """Put one entry of ``ValidationError.errors()`` into "what, what instead"."""
    kind, context = entry["type"], entry.get("ctx", {})
    value = repr(entry["input"])
    if len(value) > MAX_VALUE:
        value = value[:MAX_VALUE] + "…"
    match kind:
        case "missing":
            return "missing, add it"
        case "literal_error":
            return f"{value} is not possible here, use one of {context['expected']}"
        case "predicate_failed":
            return f"{value} does not fit, use {_form(entry['msg'])}"
        case "too_short":
            return f"too few, name at least {context['min_length']}"
        case "too_long":
            return f"too many, name at most {context['max_length']}"
        case _ if kind in _WANTED:
            return f"{value} does not fit, use {_WANTED[kind]}"
        case _ if kind in _BOUNDS:
            what, bound = _BOUNDS[kind]
            return f"{value} is {what} {context[bound]:g}"
        case _:
            return f"{value} does not fit: {entry['msg']}"


def _form(message: str) -> str:
    """Say what a predicate wants; pydantic names it in its message alone."""
    return next(form for name, form in _FORMS.items() if name in message)
