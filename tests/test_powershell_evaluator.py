"""The evaluator of PowerShell does what PowerShell's documentation says, in the words of its about_ pages."""

from __future__ import annotations

import pytest

from tests.support.powershell import PowerShellError, WinEvent, parse
from tests.support.powershellevents import xml_of

EVENT = WinEvent(xml_of("C", "7", {"a": ["x", "Y"], "e": ""}, "P", Level="4", Keywords="0x80"))


def holds(block: str) -> bool:
    """Whether a block takes the event."""
    return parse(f"Get-WinEvent -FilterHashtable @{{LogName='C'}} | Where-Object {{{block}}}").finds(EVENT)


HOLD = {
    # about_Operator_Precedence: -and and -or have the same, from left to right; -not binds more than comparisons.
    "(1 -eq 1) -or (1 -eq 1) -and (1 -eq 2)": False,
    "(1 -eq 1) -or ((1 -eq 1) -and (1 -eq 2))": True,
    "-not 'a' -eq 'a'": False,
    "-not ('a' -eq 'b')": True,
    # about_Comparison_Operators: without case unless it says c; an array on the left is filtered.
    "'ABC' -eq 'abc'": True,
    "'ABC' -ieq 'abc'": True,
    "'ABC' -ceq 'abc'": False,
    "@('a';'b') -eq 'b'": True,
    "@('a';'b') -eq 'c'": False,
    "@('a';'b') -contains 'B'": True,
    "@('a';'b') -ne 'a'": True,
    "'1' -eq 1": True,
    "2 -gt 1": True,
    "@(1;5) -lt 1": False,
    # about_Booleans: an array of one element is what the element is, nothing and an empty text are false.
    "@(0)": False,
    "@(0;0)": True,
    "@('0')": True,
    "@('')": False,
    "@()": False,
    "$null": False,
    "''": False,
    "'False'": True,
    # about_Wildcards: * any characters, ? one, ` takes a meaning away.
    "'abc' -like 'A*'": True,
    "'abc' -clike 'A*'": False,
    "'abc' -like 'a?c'": True,
    "'a*c' -like 'a`*c'": True,
    "'abc' -like 'a`*c'": False,
    "'a[c' -like 'a`[c'": True,
    "'a`c' -like 'a``c'": True,
    "'abc' -like '`abc'": True,
    "'abc' -like 'b'": False,
    "$null -like '*'": True,
    # By culture a soft hyphen is nothing; a pattern is compared so where it has no wildcard but at its end.
    "'a\u00adb' -eq 'ab'": True,
    "'a\u00adb' -like 'ab'": True,
    "'a\u00adb' -like 'ab*'": True,
    "'a\u00adb' -like '`ab*'": False,
    "'a\u00adb' -like '*ab'": False,
    # -match is found anywhere, and nothing is an empty text to it.
    "'abc' -match 'B'": True,
    "'abc' -cmatch 'B'": False,
    "$null -match '^$'": True,
    "'a' -cmatch '[\\p{L}]\\z'": True,
    # about_Quoting_Rules: nothing is expanded in single quotes, a doubled one is one.
    "'it''s' -eq 'it\u2019\u2019s'": False,
    "'$_' -eq '$_'": True,
    "'a\u2019\u2019b' -eq 'a\u2018\u2018b'": False,
    # about_Arrays, hash tables of .NET, events
    "$t=[hashtable]::new();$t['a']=@();$t['a']+='x';$t.ContainsKey('a') -and -not $t.ContainsKey('A')": True,
    "@(@(1;2;3) -ge 2).Count -eq 2": True,
    "$f={foreach($v in $args[0]){$v}};@(& $f @('a';'b')) -contains 'b'": True,
    "$f={foreach($v in $args[0]){$v}};@(& $f $null).Count -eq 0": True,
    "$_.Id -eq 7": True,
    "([string]$_.Level) -eq '4'": True,
    "([string]$_.Opcode) -eq ''": True,
    "([string]([xml]$_.ToXml()).Event.System.Keywords) -ieq '0X80'": True,
    "$x=[xml]$_.ToXml();[string]$x.Event.System.Provider.Name": True,
    "([xml]$_.ToXml()).SelectNodes('/*/*[local-name()=\"EventData\"]/*')": True,
    "([xml]$_.ToXml()).SelectNodes('/*/*[local-name()=\"UserData\"]//*[not(*)]')": False,
}


@pytest.mark.parametrize(("block", "holding"), HOLD.items(), ids=HOLD)
def test_blocks(block: str, holding: bool) -> None:
    assert holds(block) is holding


FAULTS = (
    '"a"', "$(1)", "`a", "# a", "calc", "'a", "1 2", "$_.Properties", "[io.file]::Delete('a')", "'a'.ToUpper()", "1.5",
    "$undefined", "@{a=1", "'a' -replace 'a'", "'a' -like '[ab]'", "'a' -match '(?<n>a)'",
)  # fmt: skip


@pytest.mark.parametrize("block", FAULTS)
def test_anything_else_is_an_error(block: str) -> None:
    with pytest.raises((PowerShellError, KeyError)):
        holds(block)


def test_logs_are_named() -> None:
    for table in ("@{}", "@{Id=1}", "@{LogName='a';Level=1}", "@{LogName='a';LogName='b'}"):
        with pytest.raises(PowerShellError):
            parse(f"Get-WinEvent -FilterHashtable {table} | Where-Object {{1}}")
