"""Alerts -> the fields that a search sees."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .correlationplan import info_of
from .occurrences import Alert
from .results import entry_of, result_values
from .timestamps import SECOND, time_text

#: The fields of an alert besides those of every match, in this order.
ALERT_FIELDS = (
    "sigma_correlation_type",
    "sigma_window_start",
    "sigma_window_end",
    "sigma_value",
    "sigma_group",
    "sigma_event_count",
    "sigma_events",
    "sigma_base_rules",
)

# Digits of a quotient that has no end.
_DIGITS = 15


def alert_values(alert: Alert) -> dict[str, list[str]]:
    """The values of every field of an alert's row; the group-by fields have their own names."""
    correlation = alert.correlation
    start = alert.time - correlation.timespan * SECOND
    return {
        **{name: [value] for name, value in alert.grouped().items() if not name.startswith("sigma_")},
        **result_values([entry_of(info_of(correlation))]),
        "_time": [time_text(alert.time)],
        "sigma_correlation_type": [correlation.kind],
        "sigma_window_start": [time_text(start)],
        "sigma_window_end": [time_text(alert.time)],
        "sigma_value": [number_text(alert.value)],
        "sigma_group": [_json(alert.grouped())],
        "sigma_event_count": [str(alert.size)],
        "sigma_events": [_json(part.of.described(part.rules)) for part in alert.parts],
        "sigma_base_rules": alert.bases,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number_text(value: int | Decimal | Fraction) -> str:
    """A number in digits: exactly if it has an end, else with 15 digits."""
    if isinstance(value, Fraction):
        value = _decimal(value)
    if isinstance(value, int):
        return str(value)
    if value == value.to_integral_value() and value.adjusted() < 30:
        return str(int(value))
    text = format(value, "f") if -20 < value.adjusted() < 30 else str(value)
    return text.rstrip("0").rstrip(".") if "." in text and "E" not in text else text


def _decimal(value: Fraction) -> Decimal:
    from decimal import Context, Inexact

    rest, context = value.denominator, Context(prec=_DIGITS)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        exact = Context(prec=2_000)
        result = exact.divide(Decimal(value.numerator), Decimal(value.denominator))
        if not exact.flags[Inexact]:
            return result
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))
