"""Which small faults a source file can be given: one mutant is one replacement in its text.

The operators are the usual ones: a comparison, a condition, a constant, an arithmetic or boolean operator is changed,
a value is not returned, a statement is left out. Texts for people, types, assertions and log lines are left alone:
what they say is no behaviour that one test could hold.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.LShift: ">>",
    ast.RShift: "<<",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}
_LOGGERS: Final = frozenset({"log", "_log", "logger", "_logger"})
_LOG_METHODS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One replacement in one file: `source[start:end]`, in bytes, becomes `replacement`."""

    file: str
    line: int
    scope: str
    """The function or class that it is in, dotted; empty at the top of a module."""
    operator: str
    start: int
    end: int
    original: str
    replacement: str
    in_function: bool
    """Whether the line runs when a function is called, not when the module is imported."""
    occurrence: int = 1
    """Which of the same replacements in the same scope it is."""

    @property
    def identity(self) -> str:
        """What names this mutant also after other lines of the file have moved."""
        again = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.file}::{self.scope}: {self.original} -> {self.replacement}{again}"

    def applied(self, source: bytes) -> bytes:
        """Return the file's text with the fault in it."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]


def mutants_of(file: str, source: bytes) -> list[Mutant]:
    """Return every mutant of a file, in the order of its text. Two that make the same text are one."""
    unique: dict[bytes, Mutant] = {}
    seen: Counter[str] = Counter()
    for mutant in sorted(_Walk(file, source).found(), key=lambda mutant: (mutant.start, mutant.replacement)):
        changed = mutant.applied(source)
        try:
            compile(changed, file, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        digest = hashlib.sha256(changed).digest()
        if digest not in unique:
            seen[mutant.identity] += 1
            unique[digest] = replace(mutant, occurrence=seen[mutant.identity])
    return list(unique.values())


class _Walk:
    """One way through the tree of a file, which knows the scope that it is in."""

    def __init__(self, file: str, source: bytes) -> None:
        self._file = file
        self._source = source
        self._tree = ast.parse(source)
        self._starts = [0]
        for line in source.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._scope: list[str] = []
        self._functions = 0

    def found(self) -> Iterator[Mutant]:
        """Yield the mutants of the whole file."""
        yield from self._block(self._tree.body)

    def _block(self, statements: list[ast.stmt]) -> Iterator[Mutant]:
        for statement in statements:
            yield from self._visit(statement)

    def _visit(self, node: ast.AST) -> Iterator[Mutant]:
        if _says_nothing_of_behaviour(node):
            return
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from self._function(node)
            case ast.ClassDef():
                self._scope.append(node.name)
                yield from self._block(node.body)
                self._scope.pop()
            case ast.AnnAssign():
                if node.value is not None:
                    yield from self._statement(node)
                    yield from self._visit(node.value)
            case ast.Raise():
                # What is raised is a text for people, mostly; that it is raised is behaviour.
                yield self._mutant(node, "statement left out", "pass")
            case _:
                yield from self._statement(node)
                yield from self._expression(node)
                for child in ast.iter_child_nodes(node):
                    yield from self._visit(child)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Mutant]:
        self._scope.append(node.name)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                yield from self._visit(default)
        self._functions += 1
        yield from self._block(node.body)
        self._functions -= 1
        self._scope.pop()

    def _statement(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Expr(value=ast.Call() | ast.Await()):
                yield self._mutant(node, "statement left out", "pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign() | ast.Delete():
                yield self._mutant(node, "statement left out", "pass")
            case ast.AnnAssign(target=ast.Attribute()):
                yield self._mutant(node, "statement left out", "pass")
            # None in place of False or of an empty text is mostly the same to the caller.
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield self._mutant(value, "nothing returned", "None")
            case ast.Continue():
                yield self._mutant(node, "loop left", "break")
            case ast.Break():
                yield self._mutant(node, "loop kept", "continue")
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield from self._negated(test)
            case ast.comprehension(ifs=tests):
                for test in tests:
                    yield from self._negated(test)
            case _:
                pass

    def _negated(self, test: ast.expr) -> Iterator[Mutant]:
        # What the other operators negate already is not negated a second time.
        if isinstance(test, ast.Constant | ast.NamedExpr):
            return
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and _is_own_opposite(test.ops[0]):
            return
        yield self._mutant(test, "condition negated", f"(not ({self._text(test)}))")

    def _expression(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Compare():
                yield from self._comparison(node)
            case ast.BoolOp(op=op, values=values):
                other = " or " if isinstance(op, ast.And) else " and "
                yield self._mutant(
                    node, "boolean operator", f"({other.join(self._enclosed(v) for v in values)})"
                )
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._mutant(node, "negation left out", f"({self._text(operand)})")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                types = isinstance(op, ast.BitOr) and not self._functions  # a union of types
                if not (types or _is_text(left) or _is_text(right)):
                    other = _ARITHMETIC[type(op)]
                    changed = f"({self._enclosed(left)} {other} {self._enclosed(right)})"
                    yield self._mutant(node, "arithmetic", changed)
            case ast.Constant(value=bool() as value):
                yield self._mutant(node, "constant", str(not value))
            case ast.Constant(value=int() as value):
                yield self._mutant(node, "constant", str(value + 1))
            case ast.Constant(value=float() as value):
                yield self._mutant(node, "constant", repr(value * 10 if value else 1.0))
            case _:
                pass

    def _comparison(self, node: ast.Compare) -> Iterator[Mutant]:
        operands = [node.left, *node.comparators]
        for place, op in enumerate(node.ops):
            if type(op) not in _COMPARISONS:
                continue
            parts = [self._enclosed(operands[0])]
            for number, (other, operand) in enumerate(zip(node.ops, operands[1:], strict=True)):
                symbol = _COMPARISONS[type(op)] if number == place else _symbol(other)
                parts += [symbol, self._enclosed(operand)]
            yield self._mutant(node, "comparison", f"({' '.join(parts)})")

    def _enclosed(self, node: ast.expr) -> str:
        text = self._text(node)
        simple = isinstance(node, ast.Name | ast.Attribute | ast.Constant | ast.Call | ast.Subscript)
        return text if simple else f"({text})"

    def _text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _mutant(self, node: ast.AST, operator: str, replacement: str) -> Mutant:
        assert isinstance(node, ast.expr | ast.stmt)
        start, end = self._span(node)
        return Mutant(
            file=self._file,
            line=node.lineno,
            scope=".".join(self._scope),
            operator=operator,
            start=start,
            end=end,
            original=" ".join(self._text(node).split()),
            replacement=replacement,
            in_function=self._functions > 0,
        )


def _says_nothing_of_behaviour(node: ast.AST) -> bool:
    match node:
        case ast.Assert() | ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring, or the dots of a protocol
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Call(func=ast.Name(id="cast" | "TypeVar" | "NewType")):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):  # for type checkers: it can't run
            return True
        case ast.Expr(value=ast.Call(func=func)) | ast.Call(func=func):
            return _is_logging(func)
        case _:
            return False


def _is_logging(func: ast.expr) -> bool:
    if not isinstance(func, ast.Attribute) or func.attr not in _LOG_METHODS:
        return False
    owner = func.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return name in _LOGGERS


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)
    )


def _is_own_opposite(op: ast.cmpop) -> bool:
    return not isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)


def _symbol(op: ast.cmpop) -> str:
    symbols: dict[type[ast.cmpop], str] = {
        ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
        ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
    }  # fmt: skip
    return symbols[type(op)]
