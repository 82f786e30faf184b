"""``convert --target powershell``: a rule as a command that reads the event logs of Windows.

``Get-WinEvent -FilterHashtable @{LogName='...';Id=1} | Where-Object { ... }``, which Windows PowerShell 5.1 and
PowerShell 7 take alike, pasted as one line. The hashtables say which events are read at all, the block which of them
the rule matches: it makes a table of each event's data (name -> values that are not empty) and asks for it.
Whatever comes from a rule stands in single quotes, in which PowerShell expands nothing, or is a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, reduce
from ipaddress import ip_network
from typing import TypeVar

from builder.mappings import Mappings
from builder.outcomes import Outcome
from sigmaengine.folding import fold
from sigmaengine.modifiers import Test
from sigmaengine.patterns import ANY, DASH, DASHES, ONE, Parts, is_plain, join, plain_text

from .dotnet import ANYTHING, ONE_CHARACTER, in_class, literal, translated
from .events import Asked, asked, is_known, query
from .language import Language, RefusedError
from .reading import NATIVE, Box, Boxes, Reading, boxes_of, either
from .target import Converted, Option, Settings, Target
from .walker import said

_T = TypeVar("_T")

# The quotation marks that PowerShell takes for ' each; doubled they are one.
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
#: What a single pattern of -like gives a meaning.
_WILD = re.compile(r"([*?\[\]`])")
# Joined operators nest, and PowerShell refuses what is nested too deep.
_MOST_JOINED = 50
# Logs of traces, which Get-WinEvent reads from their beginning or not at all.
_TRACES = re.compile(r"/(?:analytic(?:al)?|debug)$", re.IGNORECASE)
# An event log takes an XPath of some twenty conditions.
_MOST_IDS = 20
_LONG = 8_000
# What [decimal] holds exactly.
_MOST_DIGITS = 28
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def quoted(text: str) -> str:
    """Text as a string of PowerShell's, in which nothing is expanded. Raises RefusedError.

    Of ASCII alone: Windows PowerShell 5.1 reads a file of commands in the encoding of the machine, in which parts of
    other characters can be quotation marks.
    """
    if not text.isprintable() or not text.isascii():
        raise RefusedError("text", text)
    return "'" + _QUOTES.sub(r"\1\1", text) + "'"


# --- what the block does before it asks ----------------------------------------------------------

#: Everything that the event holds as data: named, unnamed, and what stands within user data.
_DATA = (
    '$data=[hashtable]::new();foreach($node in $xml.SelectNodes(\'/*/*[local-name()="EventData"]/*'
    "|/*/*[local-name()=\"UserData\"]//*[not(*)]')){$name=$node.GetAttribute('Name');if($name.Length -eq 0){"
    "$name=$node.LocalName};if($node.InnerText.Length -gt 0){if(-not $data.ContainsKey($name)){$data[$name]=@()};"
    "$data[$name]+=$node.InnerText}}"
)
# [ipaddress] takes more for an address than there is: 1, 0x7f.1, 010.0.0.1, [::1]:80.
_OCTETS = r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!\z)|\z)){4}"
_ADDRESS = rf"\A(?:[0-9A-Fa-f:]*:)?{_OCTETS}\z|\A[0-9A-Fa-f:]*:[0-9A-Fa-f]*\z"
#: What is named here is made where it is asked for, in this order.
_PRELUDE = {
    "$text": "$text=$_.ToXml()",
    # Where the cast fails, nothing is left of the event before.
    "$xml": "$xml=$null;$xml=[xml]$_.ToXml()",
    "$data": _DATA,
    "$words": "$words=@($text)+[Net.WebUtility]::HtmlDecode($text)",
    # the values that are numbers
    "$numbers": (
        "$numbers={foreach($value in $args[0]){$number=[decimal]0;if($value -cmatch"
        r" '\A[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\z'"
        " -and [decimal]::TryParse($value,[Globalization.NumberStyles]::Float,"
        "[cultureinfo]::InvariantCulture,[ref]$number)){$number}}}"
    ),
    # the values that are addresses, as 32 hexadecimal digits
    "$addresses": (
        "$addresses={foreach($value in $args[0]){if($value.Contains(':')){$value=$value.Split('%')[0]};"
        f"$address=[ipaddress]::None;if($value -cmatch '{_ADDRESS}' -and [ipaddress]::TryParse($value,[ref]$address))"
        "{[BitConverter]::ToString($address.MapToIPv6().GetAddressBytes()).Replace('-','')}}}"
    ),
}
_NEEDS = {"$data": ("$xml",), "$words": ("$text",)}


def _prelude(condition: str) -> str:
    # Looked for outside of strings, where a rule's text is.
    bare = re.sub(r"'[^']*'", "''", condition)
    used = {name for name in _PRELUDE if re.search(re.escape(name) + r"\b", bare)}
    used |= {need for name in used for need in _NEEDS.get(name, ())}
    return "".join(f"{code};" for name, code in _PRELUDE.items() if name in used)


# --- fields --------------------------------------------------------------------------------------

_INTEGERS = {
    "EventID": "$_.Id",
    "EventRecordID": "$_.RecordId",
    "Level": "$_.Level",
    "Opcode": "$_.Opcode",
    "Task": "$_.Task",
    "Version": "$_.Version",
}
#: Fields of <System>: what gives their text.
_SYSTEM = {
    **{name: f"[string]{integer}" for name, integer in _INTEGERS.items()},
    "Channel": "$_.LogName",
    "Computer": "$_.MachineName",
    "Keywords": "[string]$xml.Event.System.Keywords",
    "Provider_Guid": "[string]$xml.Event.System.Provider.Guid",
    "Provider_Name": "$_.ProviderName",
}


def _values(name: str) -> str:
    """What gives a field's values: of data an array, or nothing."""
    if name in _SYSTEM:
        return f"({_SYSTEM[name]})" if _SYSTEM[name].startswith("[") else _SYSTEM[name]
    return f"$data[{_key(name)}]"


def _key(name: str) -> str:
    if not _ascii(name):
        raise RefusedError("field name", name)
    return quoted(name)


def _listed(name: str) -> str:
    """What gives a field's values that are not empty, as something to go through one by one."""
    return f"(@({_SYSTEM[name]}) -ne '')" if name in _SYSTEM else _values(name)


# --- values --------------------------------------------------------------------------------------


def _ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _like(parts: Parts) -> str:
    """A pattern of -like.

    Without a wildcard, or with one at the end alone, PowerShell 7 compares as the user's language does,
    in which some characters count for nothing; an escape before the first character keeps it from that.
    """
    written = "".join("*" if part == ANY else _WILD.sub(r"`\1", str(part)) for part in parts)
    first = re.search(r"[*?\[\]`]", written)
    return quoted("`" + written if first is None or (first.end() == len(written) and written != "*") else written)


@cache
def _variants() -> dict[str, list[str]]:
    """Folded characters -> all that fold to them, where there are several."""
    found: dict[str, list[str]] = {}
    for character in map(chr, range(0x1FFFF)):
        folded = fold(character)
        if folded != character:
            found.setdefault(folded, [folded]).append(character)
    return found


def _has_odd_case(character: str) -> bool:
    """Whether PowerShell may take another letter for this one than Sigma does."""
    return not character.isascii() and (character.isalpha() or character in _variants())


def _any_case(character: str) -> str:
    variants = _variants().get(character)
    if variants is None:
        return literal(character)
    if character > "\uffff":
        return f"(?:{'|'.join(map(literal, variants))})"
    return f"[{in_class(variants)}]"


def _expression(parts: Parts, each: Callable[[str], str]) -> str:
    """A regular expression for a Sigma string; ``each``: how a character is written."""
    written = {ANY: ANYTHING, ONE: ONE_CHARACTER, DASH: f"[{in_class(DASHES)}]"}
    start, end = int(parts[0] == ANY), len(parts) - (parts[-1] == ANY)
    inner = parts[start:end]
    body = "".join("".join(map(each, part)) if isinstance(part, str) else written[part] for part in inner)
    # An expression is found anywhere unless it says where.
    return ("" if start else r"\A") + body + ("" if end < len(parts) else r"\z")


def _hexadecimal(network: str) -> str:
    """An expression for the addresses of a network as they stand in ``$addresses``. Raises RefusedError."""
    found = ip_network(network)
    length = found.prefixlen + (96 if found.version == 4 else 0)
    number = int(found.network_address) | (0xFFFF << 32 if found.version == 4 else 0)
    if found.version == 6 and length < 96 and number >> (128 - length) == 0xFFFF << 32 >> (128 - length):
        # IPv4 addresses are among these numbers, but not in the network.
        raise RefusedError("network", network)
    digits = f"{number:032X}"
    whole, bits = divmod(length, 4)
    rest = ""
    if bits:
        first = int(digits[whole], 16)
        rest = f"[{''.join(f'{first + more:X}' for more in range(1 << (4 - bits)))}]"
    return rf"\A{digits[:whole]}{rest}"


class PowerShell(Language[str]):
    """Conditions of PowerShell; each is one operand: in parentheses, or without an operator outside of them."""

    def all_of(self, parts: Sequence[str]) -> str:
        """All of them."""
        return _joined(parts, " -and ")

    def any_of(self, parts: Sequence[str]) -> str:
        """One of them."""
        return _joined(parts, " -or ")

    def negated(self, part: str) -> str:
        """Not that."""
        return f"(-not {part})"

    def text(self, name: str, cased: bool, parts: Parts) -> str:
        """A text: -like, or a regular expression where that has no wildcard for it or the text is not ASCII."""
        parts = tuple(parts)
        if parts == (ANY,):
            return self.has_value(name)
        return self._matching(_values(name), cased, parts, plain=name in _SYSTEM)

    def _matching(self, values: str, cased: bool, parts: Parts, *, plain: bool = False) -> str:
        if not all(part == ANY or (isinstance(part, str) and _ascii(part)) for part in parts):
            spelt = not cased and any(map(_has_odd_case, "".join(part for part in parts if isinstance(part, str))))
            expression = _expression(parts, _any_case if spelt else literal)
            return f"({values} -{'c' if cased or spelt else 'i'}match {quoted(expression)})"
        if plain and is_plain(parts):
            return f"({values} -{'c' if cased else 'i'}eq {quoted(plain_text(parts))})"
        return f"({values} -{'c' if cased else 'i'}like {_like(parts)})"

    def number(self, name: str, text: str) -> str:
        """A number, however it is written."""
        if name in _INTEGERS and re.fullmatch("0|[1-9][0-9]{0,17}", text):
            return f"({_INTEGERS[name]} -eq {text})"
        if not _is_decimal(text):
            raise RefusedError("number", text)
        return f"(@(& $numbers {_values(name)}) -contains {text}d)"

    def compared(self, name: str, operator: str, text: str) -> str:
        """One of the numbers is in this relation; an array of them is true if one is left."""
        if not _is_decimal(text):
            raise RefusedError("comparison", f"{operator} {text}")
        relation = {"lt": "-lt", "lte": "-le", "gt": "-gt", "gte": "-ge"}[operator]
        return f"(@(@(& $numbers {_values(name)}) {relation} {text}d).Count -gt 0)"

    def regex(self, name: str, flags: str, expression: str) -> str:
        """A regular expression of .NET's."""
        found = self._found(_values(name), flags, expression)
        if re.search(expression, "", _flags(flags)) is None:
            return found
        # Nothing, which an absent field gives, is an empty text to -match.
        return self.all_of([self.has_value(name), found])

    def _found(self, values: str, flags: str, expression: str) -> str:
        text, ignores_case = translated(flags, expression)
        return f"({values} -{'i' if ignores_case else 'c'}match {quoted(text)})"

    def network(self, name: str, network: str) -> str:
        """An address of a network."""
        return f"(@(& $addresses {_values(name)}) -cmatch {quoted(_hexadecimal(network))})"

    def has_value(self, name: str) -> str:
        """The table has values that are not empty alone."""
        if name in _SYSTEM:
            return f"({_values(name)} -ne '')"
        return f"$data.ContainsKey({_key(name)})"

    def reference(self, name: str, anchor: str, cased: bool, other: str) -> str:
        """A value of the one field and one of the other are so related."""
        how = f"[StringComparison]::Ordinal{'' if cased else 'IgnoreCase'}"
        relation = {
            "": f"$one.Equals($two,{how})",
            "contains": f"($one.IndexOf($two,{how}) -ge 0)",
            "startswith": f"$one.StartsWith($two,{how})",
            "endswith": f"$one.EndsWith($two,{how})",
        }[anchor]
        pairs = f"foreach($one in {_listed(name)}){{foreach($two in {_listed(other)}){{{relation}}}}}"
        return f"(@({pairs}) -contains $true)"

    def keyword(self, test: Test) -> str:
        """The XML of the event, as it stands or with its entities decoded."""
        kind, *arguments = test
        if kind == "str":
            return self._matching("$words", arguments[0], join(arguments[1]))
        if kind == "re":
            return self._found("$words", *arguments)
        raise RefusedError("keyword")


def _flags(flags: str) -> int:
    return sum({"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[flag] for flag in flags)


def _is_decimal(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None and sum(map(str.isdigit, text)) <= _MOST_DIGITS


def _joined(parts: Sequence[str], operator: str) -> str:
    """Some conditions with one operator between them, in parentheses: -and and -or have the same precedence."""
    if len(parts) == 1:
        return parts[0]
    while len(parts) > _MOST_JOINED:
        parts = [_joined(some, operator) for some in _in_groups(parts, _MOST_JOINED)]
    return f"({operator.join(parts)})"


def _in_groups(parts: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (parts[start : start + size] for start in range(0, len(parts), size))


# --- which events are read ------------------------------------------------------------------------


def _hashtables(boxes: Boxes, paths: Sequence[str]) -> str:
    """The hashtables of -FilterHashtable; ``paths``: of files to read instead of the machine's own logs."""
    tables = []
    for box in boxes:
        keys = []
        if paths:
            keys.append(f"Path={_list(map(quoted, paths))}")
        elif box.channels is not None:
            keys.append(f"LogName={_list(map(quoted, sorted(box.channels)))}")
        if box.ids is not None and len(box.ids) <= _MOST_IDS:
            keys.append(f"Id={_list(sorted(box.ids, key=int))}")
        tables.append(f"@{{{';'.join(keys)}}}")
    return ",".join(tables)


def _list(parts: Iterable[str]) -> str:
    return ",".join(parts)


def _are_read_alone(kinds: Sequence[Asked]) -> bool:
    """Whether the hashtables leave nothing else to read than the events of these kinds."""
    if len(kinds) != 1 or len(kinds[0].events.taken) != 1 or kinds[0].events.left_out:
        return False
    (whens,) = kinds[0].events.taken
    return all(
        when.keys() <= {"channel", "event_id"}
        and "channel" in when
        and not any("*" in glob for globs in when.values() for glob in globs)
        and len(when.get("event_id", ())) <= _MOST_IDS
        for when in whens
    )


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:
    """A command. Raises RefusedError: it cannot be exact, or reads no event log of Windows."""
    rule = outcome.rule
    if rule is None:
        raise RefusedError("correlation")
    paths = [path for path in settings["evtx"].split(";") if path]
    kinds = asked(rule, mappings, NATIVE) if is_known(rule, mappings) else []
    boxes = Reading().any_of([boxes_of(rule, kind) for kind in kinds])
    if not boxes or not (paths or all(box.channels for box in boxes)):
        raise RefusedError("log source", f"{rule.logsource} names no event log of Windows")
    language = PowerShell()
    if paths:
        boxes = (Box(ids=_all_ids(boxes)),)
    if not paths and _are_read_alone(kinds):
        condition = said(rule, language, kinds[0].naming)
    else:
        condition = query(rule, mappings, language, NATIVE)
    oldest = any(_TRACES.search(channel) for box in boxes for channel in box.channels or ())
    command = (
        f"Get-WinEvent -FilterHashtable {_hashtables(boxes, paths)}{' -Oldest' if oldest else ''}"
        f" | Where-Object {{{_prelude(condition)}{condition}}}"
    )
    return Converted(command, (_LENGTH_NOTE,) if len(command) > _LONG else ())


def _all_ids(boxes: Boxes) -> frozenset[str] | None:
    return reduce(either, (box.ids for box in boxes))


def _fault(settings: Settings) -> str:
    paths: str = settings["evtx"]
    if paths.isprintable() and paths.isascii():
        return ""
    return "--evtx takes paths of printable ASCII: Windows PowerShell 5.1 reads others otherwise in a file of commands"


_LENGTH_NOTE = f"the command is longer than {_LONG:,} characters: put it into a .ps1 file rather than on the console"

TARGET = Target(
    "a command of PowerShell that reads Windows event logs",
    "ps1",
    write,
    {"evtx": Option("Read these .evtx files instead of the machine's logs; several with ';' between them.")},
    fault=_fault,
)
