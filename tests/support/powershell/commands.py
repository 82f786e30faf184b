"""A command: its grammar, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from .events import WinEvent
from .methods import CASTS, STATIC, Hashtable, Reference, call, member
from .tokens import PowerShellError, Token, string_of, tokens
from .values import compare, is_comparison, lowered, truth

Variables = dict[str, Any]
#: Gives the value of an expression.
Evaluate = Callable[[Variables], Any]
#: Puts what a statement gives out into a list.
Run = Callable[[Variables, list[Any]], None]

_CONSTANTS = {"$true": True, "$false": False, "$null": None}


def collected(output: list[Any]) -> Any:
    """What a block has given out: nothing, one thing, or an array."""
    return output if len(output) > 1 else output[0] if output else None


def give(value: Any, output: list[Any]) -> None:
    """Give a value out: the elements of an array one by one."""
    if isinstance(value, list):
        output += value
    elif value is not None:
        output.append(value)


class Block:
    """{ ... }: statements, which see the variables around them."""

    def __init__(self, statements: list[tuple[str, Run]]) -> None:
        self.statements = statements

    def run(self, variables: Variables) -> list[Any]:
        """All that the statements give out."""
        output: list[Any] = []
        for _, statement in self.statements:
            statement(variables, output)
        return output

    def holds(self, event: WinEvent) -> bool:
        """Where-Object. All statements but the last depend on the event alone and are run once for each."""
        *before, (_, last) = self.statements
        source = ";".join(text for text, _ in before)
        if source not in event.prepared:
            variables: Variables = {"$_": event}
            given: list[Any] = []
            for _, statement in before:
                statement(variables, given)
            if given:
                raise PowerShellError("output before the condition")
            event.prepared[source] = variables
        output: list[Any] = []
        last(dict(event.prepared[source]), output)
        return truth(collected(output))


class Command:
    """``Get-WinEvent -FilterHashtable TABLES [-Oldest] | Where-Object {BLOCK}``."""

    def __init__(self, tables: Any, block: Block) -> None:
        self.tables: list[dict[str, Any]] = tables if isinstance(tables, list) else [tables]
        self.block = block
        for table in self.tables:
            if not table.keys() <= {"LogName", "Path", "Id"} or not table.keys() & {"LogName", "Path"}:
                raise PowerShellError(f"-FilterHashtable {table}")

    def reads(self, event: WinEvent) -> bool:
        """Whether -FilterHashtable takes an event; any file given has all events."""
        return any(all(self._is(event, key, value) for key, value in table.items()) for table in self.tables)

    def _is(self, event: WinEvent, key: str, value: Any) -> bool:
        wanted = value if isinstance(value, list) else [value]
        if key == "LogName":
            return lowered(event.member("LogName") or "") in map(lowered, wanted)
        return key == "Path" or event.member("Id") in wanted

    def finds(self, event: WinEvent) -> bool:
        """Whether the command gives an event out."""
        return self.reads(event) and self.block.holds(event)


def parse(source: str) -> Command:
    """A command of one line. Raises PowerShellError."""
    return _Parser(source).command()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source, self.tokens, self.place = source, tokens(source), 0

    # --- tokens

    def peek(self) -> Token:
        if self.place < len(self.tokens):
            return self.tokens[self.place]
        return Token("end", "", len(self.source), len(self.source), spaced=False)

    def next(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def at(self, *texts: str) -> bool:
        return self.peek().text in texts and self.peek().kind != "string"

    def taken(self, text: str) -> bool:
        if self.at(text):
            self.place += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.taken(text):
            raise PowerShellError(f"{text} expected at {self.source[self.peek().start :][:60]!r}")

    # --- commands and statements

    def command(self) -> Command:
        self.expect("Get-WinEvent")
        self.expect("-FilterHashtable")
        tables = self.listed()({})
        self.taken("-Oldest")
        self.expect("|")
        self.expect("Where-Object")
        self.expect("{")
        block = self.block()
        if self.peek().kind != "end":
            raise PowerShellError(f"more behind the command: {self.source[self.peek().start :][:60]!r}")
        return Command(tables, block)

    def block(self, end: str = "}") -> Block:
        statements: list[tuple[str, Run]] = []
        while not self.taken(end):
            start = self.peek().start
            statement = self.statement()
            statements.append((self.source[start : self.tokens[self.place - 1].end], statement))
            if not self.at(end):
                # A statement that ends with a block needs none, and all have one here.
                self.expect(";")
        return Block(statements)

    def statement(self) -> Run:
        if self.taken("foreach"):
            return self.foreach()
        if self.taken("if"):
            return self.condition()
        if self.peek().kind == "variable":
            start = self.place
            assignment = self.assignment()
            if assignment is not None:
                return assignment
            self.place = start
        value = self.pipeline()
        return lambda variables, output: give(value(variables), output)

    def foreach(self) -> Run:
        self.expect("(")
        variable = self.next().text
        self.expect("in")
        values = self.pipeline()
        self.expect(")")
        self.expect("{")
        block = self.block()

        def run(variables: Variables, output: list[Any]) -> None:
            found = values(variables)
            for value in found if isinstance(found, list) else [] if found is None else [found]:
                variables[variable] = value
                output += block.run(variables)

        return run

    def condition(self) -> Run:
        self.expect("(")
        test = self.pipeline()
        self.expect(")")
        self.expect("{")
        block = self.block()

        def run(variables: Variables, output: list[Any]) -> None:
            if truth(test(variables)):
                output += block.run(variables)

        return run

    def assignment(self) -> Run | None:
        variable = self.next().text
        key = None
        if self.taken("["):
            key = self.expression()
            self.expect("]")
        operator = self.next().text
        if operator not in ("=", "+="):
            return None
        value = self.pipeline()

        def run(variables: Variables, _: list[Any]) -> None:
            place, name = (variables, variable) if key is None else (variables[variable], key(variables))
            new = value(variables)
            place[name] = new if operator == "=" else _sum(place[name], new)

        return run

    def pipeline(self) -> Evaluate:
        if not self.taken("&"):
            return self.expression()
        block, *arguments = self.arguments()

        def run(variables: Variables) -> Any:
            called = block(variables)
            inner = {**variables, "$args": [argument(variables) for argument in arguments]}
            return collected(called.run(inner))

        return run

    def arguments(self) -> list[Evaluate]:
        """What a command is given: parts with blanks between them."""
        found = []
        while not self.at(")", ";", "}", "|") and self.peek().kind != "end":
            if found and not self.peek().spaced:
                raise PowerShellError("arguments without a blank between them")
            found.append(self.postfix())
        return found

    # --- expressions, from the operators that bind least

    def expression(self) -> Evaluate:
        """-and and -or: of the same precedence, from left to right."""
        left = self.comparison()
        while self.at("-and", "-or"):
            left = _logical(self.next().text, left, self.comparison())
        return left

    def comparison(self) -> Evaluate:
        left = self.sum()
        while self.peek().kind == "operator" and is_comparison(self.peek().text[1:].lower()):
            operator = self.next().text[1:].lower()
            left = _compared(operator, left, self.sum())
        return left

    def sum(self) -> Evaluate:
        left = self.negation()
        while self.taken("+"):
            left = _added(left, self.negation())
        return left

    def negation(self) -> Evaluate:
        """-not binds more than comparisons."""
        if self.taken("-not"):
            operand = self.negation()
            return lambda variables: not truth(operand(variables))
        return self.listed()

    def listed(self) -> Evaluate:
        first = self.cast()
        if not self.at(","):
            return first
        parts = [first]
        while self.taken(","):
            parts.append(self.cast())
        return lambda variables: [part(variables) for part in parts]

    def cast(self) -> Evaluate:
        token = self.peek()
        following = self.tokens[self.place + 1 : self.place + 2]
        if token.kind != "type" or (following and following[0].text == "::"):
            return self.postfix()
        self.next()
        name = token.text[1:-1]
        if name == "ref":
            variable = self.next().text
            return lambda variables: Reference(lambda value: variables.__setitem__(variable, value))
        operand, convert = self.cast(), CASTS[name]
        return lambda variables: convert(operand(variables))

    def postfix(self) -> Evaluate:
        value = self.static() if self.peek().kind == "type" else self.primary()
        while not self.peek().spaced:
            if self.taken("."):
                name = self.next().text
                value = self.method(value, name) if self.at("(") else _property(value, name)
            elif self.taken("["):
                value = _indexed(value, self.expression())
                self.expect("]")
            else:
                break
        return value

    def static(self) -> Evaluate:
        name = self.next().text[1:-1]
        self.expect("::")
        found = STATIC[name, self.next().text]
        if not self.at("("):
            return lambda _: found
        arguments = self.called_with()
        return lambda variables: found(*(argument(variables) for argument in arguments))

    def method(self, value: Evaluate, name: str) -> Evaluate:
        arguments = self.called_with()
        return lambda variables: call(value(variables), name, [argument(variables) for argument in arguments])

    def called_with(self) -> list[Evaluate]:
        self.expect("(")
        arguments: list[Evaluate] = []
        while not self.taken(")"):
            arguments.append(self.cast() if self.peek().kind == "type" else self.argument())
            if not self.at(")"):
                self.expect(",")
        return arguments

    def argument(self) -> Evaluate:
        """An argument of a method, in which a comma is no list."""
        return self.postfix()

    def primary(self) -> Evaluate:
        token = self.next()
        if token.kind == "string":
            text = string_of(token.text)
            return lambda _: text
        if token.kind == "variable":
            return _variable(token.text)
        if token.kind == "number" or (token.text == "-" and self.peek().kind == "number"):
            number = _number(token.text if token.kind == "number" else "-" + self.next().text)
            return lambda _: number
        return self.enclosed(token)

    def enclosed(self, token: Token) -> Evaluate:
        if token.kind == "string" or token.text not in ("(", "@(", "{", "@{"):
            raise PowerShellError(f"at {self.source[token.start :][:60]!r}")
        if token.text == "(":
            value = self.pipeline()
            self.expect(")")
            return value
        if token.text == "@{":
            return self.table()
        block = self.block(")" if token.text == "@(" else "}")
        return (lambda _: block) if token.text == "{" else block.run

    def table(self) -> Evaluate:
        entries: dict[str, Evaluate] = {}
        while not self.taken("}"):
            key = self.next()
            self.expect("=")
            if key.kind != "word" or key.text in entries:
                raise PowerShellError(f"a key: {key.text}")
            entries[key.text] = self.expression()
            if not self.at("}"):
                self.expect(";")
        return lambda variables: {key: value(variables) for key, value in entries.items()}


def _number(text: str) -> int | Decimal:
    if text.endswith("d"):
        return Decimal(text[:-1])
    if "." in text:
        raise PowerShellError(f"a number that is not exact: {text}")
    return int(text)


def _variable(name: str) -> Evaluate:
    if name in _CONSTANTS:
        constant = _CONSTANTS[name]
        return lambda _: constant
    return lambda variables: variables[name]


def _logical(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if operator == "-and":
        return lambda variables: truth(left(variables)) and truth(right(variables))
    return lambda variables: truth(left(variables)) or truth(right(variables))


def _compared(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda variables: compare(operator, left(variables), right(variables))


def _added(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda variables: _sum(left(variables), right(variables))


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, list):
        return [*one, *(other if isinstance(other, list) else [other])]
    raise PowerShellError(f"{one!r} + {other!r}")


def _property(value: Evaluate, name: str) -> Evaluate:
    return lambda variables: member(value(variables), name)


def _indexed(value: Evaluate, key: Evaluate) -> Evaluate:
    def evaluate(variables: Variables) -> Any:
        container, index = value(variables), key(variables)
        if isinstance(container, Hashtable):
            return container.get(index)
        if isinstance(container, list):
            return container[index]
        raise PowerShellError(f"an index of {container!r}")

    return evaluate


def found(command: Command, events: Iterable[WinEvent]) -> list[int]:
    """The positions of the events that a command gives out."""
    return [place for place, event in enumerate(events) if command.finds(event)]
