"""The program as the estimate, the lint and the features see it: macro-free, typed, with exact source ranges.

Built by `source.read_program`; nothing here parses or estimates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...text import Span
from .budget import READ_STEPS, Work

NUMBERS = frozenset({"int", "uint", "bool", "half", "float", "double", "fixed", "ufixed"})  # kinds of types


@dataclass(frozen=True, slots=True)
class CType:
    """A scalar or element type.

    kind: int, uint, fixed, ufixed, half, float, double, bool, void, struct, stream, vector, unknown.
    unsettled: declared `volatile`, or a union: what was written last need not be there.
    width: bits that move at a time (for a struct one element of each field, for a vector all lanes).
    int_bits: of fixed-point types.
    element: payload of a stream, lane of a vector. fields: of a struct. pointer: depth of `*` and `&`.
    """

    kind: str
    width: int = 0
    int_bits: int = 0
    element: CType | None = None
    lanes: int = 1
    fields: tuple[tuple[str, CType, tuple[int | None, ...]], ...] = ()
    pointer: int = 0
    name: str = ""
    unsettled: bool = field(default=False, repr=False, compare=False)
    _by_name: dict[str, tuple[CType, tuple[int | None, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _has: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        """Of what tells most types apart: counts of operators are kept by it, and structs hold many others."""
        return hash((self.kind, self.width, self.name))

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it is a pointer or a reference, or a struct with such a field, also of a struct inside it."""
        return self._any("pointer")

    @property
    def may_change_unseen(self) -> bool:
        """Whether it or a field, also of a struct inside it, is `unsettled`."""
        return self._any("unsettled")

    def _any(self, what: str) -> bool:
        """Whether this or a type of a field has it; each is looked at once, as structs often name the same ones."""
        if not self.fields:
            return bool(getattr(self, what))
        if what not in self._has:
            pending, seen, found = [self], {id(self)}, False
            while pending and not found:
                one = pending.pop()
                found = bool(getattr(one, what)) or one._has.get(what, False)
                for _, inner, _ in () if what in one._has else one.fields:
                    if id(inner) not in seen:
                        seen.add(id(inner))
                        pending.append(inner)
            self._has[what] = found
        return self._has[what]

    def field_of(self, name: str) -> tuple[CType, tuple[int | None, ...]] | None:
        """Type and extents of a field, the first of that name; None where the struct has none."""
        return self.field_names.get(name)

    @property
    def field_names(self) -> Mapping[str, tuple[CType, tuple[int | None, ...]]]:
        """Type and extents by field."""
        if self.fields and not self._by_name:
            self._by_name.update((field, (kind, dims)) for field, kind, dims in reversed(self.fields))
        return self._by_name

    @property
    def is_number(self) -> bool:
        """Whether its values, or those that it leads to, are numbers."""
        return self.kind in NUMBERS

    @property
    def is_float(self) -> bool:
        """Half, float or double."""
        return self.kind in ("half", "float", "double")


@dataclass(slots=True, eq=False)
class Variable:
    """A declared name. scope: param, local, global or enumerator (of a body).

    dims: extents, None where unknown (empty for scalars).
    handed: its address or a reference to it goes elsewhere, so that it may change unseen.
    value: of a constant whose initial value was evaluated. part_of: the struct that a field is looked at in by itself.
    unwritten: it is const because nothing that was read writes it.
    given: of a struct, the fields that are constant, with their values.
    block: it is a block of a stream of blocks: a memory that processes share, however small it is.
    """

    name: str
    type: CType
    dims: tuple[int | None, ...]
    scope: str
    span: Span
    path: str
    const: bool = False
    static: bool = False
    init: Expr | None = None
    function: str = ""
    handed: bool = False
    value: int | float | None = None
    evaluated: bool = False
    part_of: Variable | None = None
    unwritten: bool = False
    given: dict[str, Expr] = field(default_factory=dict)
    block: bool = False


# Expressions. `span` is only kept where something is reported about them.
@dataclass(slots=True, eq=False)
class Const:
    """A literal or a folded constant; value None when its text could not be read."""

    value: int | float | None
    type: CType


@dataclass(slots=True, eq=False)
class Ref:
    """Use of a name; `var` None when it is not declared anywhere that was read."""

    name: str
    var: Variable | None


@dataclass(slots=True, eq=False)
class Index:
    """`base[i][j]...` with all subscripts of one access together, outermost first."""

    base: Expr
    subscripts: tuple[Expr, ...]
    span: Span | None = None


@dataclass(slots=True, eq=False)
class Member:
    """`base.field` or `base->field`."""

    base: Expr
    field: str


@dataclass(slots=True, eq=False)
class Unary:
    """op: - ! ~ * & ++ -- (the latter two also as `p++` for the postfix form)."""

    op: str
    operand: Expr


@dataclass(slots=True, eq=False)
class Binary:
    """Arithmetic, comparison, logic, shift."""

    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, eq=False)
class Assign:
    """`target op value`; op is "=", "+=", ..."""

    op: str
    target: Expr
    value: Expr


@dataclass(slots=True, eq=False)
class Ternary:
    """`condition ? yes : no`."""

    condition: Expr
    yes: Expr
    no: Expr


@dataclass(slots=True, eq=False)
class Cast:
    """A conversion to `type`."""

    type: CType
    operand: Expr


@dataclass(slots=True, eq=False)
class Call:
    """A call of a function or, with `receiver`, of a method (`fifo.read()`); name without templates.

    function: the one called where it is `constexpr`, so that constant arguments give a constant.
    own: the program declares a function of that name, so that it is none of the library's.
    """

    name: str
    args: tuple[Expr, ...]
    receiver: Expr | None = None
    template_args: tuple[str, ...] = ()
    span: Span | None = None
    function: Function | None = None
    own: bool = False


@dataclass(slots=True, eq=False)
class Many:
    """An initialiser list or a comma expression; comma: the latter, whose value is that of the last."""

    items: tuple[Expr, ...]
    comma: bool = False


Expr = Const | Ref | Index | Member | Unary | Binary | Assign | Ternary | Cast | Call | Many


@dataclass(slots=True, eq=False)
class Pragma:
    """One directive. dialect: HLS or ACCEL; kind in capitals (PIPELINE, UNROLL, ARRAY_PARTITION, PARALLEL, ...).

    options: names in lower case -> value text ("" for flags). from_file: set when a Tcl or cfg file gave it.
    owner: the loop or function it applies to, None when it applies to nothing. A pragma of a template stands once
    for each instance.
    numbers: the value of every option that takes a number (`options.NUMERIC`) and stands there, None where it cannot
    be told.
    """

    dialect: str
    kind: str
    options: dict[str, str]
    text: str
    path: str
    span: Span
    owner: Loop | Function | None = None
    from_file: str = ""
    numbers: dict[str, int | float | None] = field(default_factory=dict)

    def whole(self, option: str) -> int | None:
        """Value of a numeric option; None where it is not written, or not known (then it is among `untold`)."""
        value = self.numbers.get(option)
        return None if value is None else int(value)

    @property
    def untold(self) -> tuple[str, ...]:
        """Numeric options whose value cannot be told, as they are written: `factor=N`."""
        return tuple(f"{name}={self.options[name]}" for name, value in self.numbers.items() if value is None)


@dataclass(slots=True, eq=False)
class Block:
    """Statements in order; the rest is kept by `expressions` once the block is complete."""

    items: list[Stmt] = field(default_factory=list)
    assigned: frozenset[Variable] | None = None
    assigned_in_order: tuple[Variable, ...] | None = None
    everything: tuple[Expr, ...] | None = None
    loops: tuple[Loop, ...] | None = None
    calls: tuple[Call, ...] | None = None
    named: frozenset[Variable] | None = None
    changes: tuple[Variable, ...] | None = None


@dataclass(slots=True, eq=False)
class Declare:
    """A local declaration."""

    var: Variable


@dataclass(slots=True, eq=False)
class Evaluate:
    """An expression statement."""

    expr: Expr


@dataclass(slots=True, eq=False)
class If:
    """`if` and `switch` (each case an arm with its own condition)."""

    condition: Expr
    then: Block
    otherwise: Block | None = None


@dataclass(slots=True, eq=False)
class Return:
    """`return value`."""

    value: Expr | None


@dataclass(slots=True, eq=False)
class Loop:
    """A for, while or do loop.

    label: the source's label; name: the label, or the tool's own kind of name (`VITIS_LOOP_12_1`).
    var, start, condition, step: of a counting loop, None where it has none of the usual form.
    others: what the head sets other variables to.
    head: range of the `for (...)` part. has_break: a break, return or goto leaves it early; jumps: a break or goto
    does. has_continue: an iteration may skip what follows in the body.
    """

    kind: str
    label: str
    name: str
    span: Span
    head: Span
    path: str
    body: Block
    var: Variable | None = None
    start: Expr | None = None
    condition: Expr | None = None
    step: Expr | None = None
    others: tuple[tuple[Variable, Expr], ...] = ()
    pragmas: list[Pragma] = field(default_factory=list)
    has_break: bool = False
    jumps: bool = False
    has_continue: bool = False
    function: str = ""
    parent: Loop | None = None

    def pragma(self, dialect: str, *kinds: str) -> Pragma | None:
        """The last pragma of one of these kinds, or None."""
        for pragma in reversed(self.pragmas):
            if pragma.dialect == dialect and pragma.kind in kinds:
                return pragma
        return None


Stmt = Block | Declare | Evaluate | If | Return | Loop


@dataclass(slots=True, eq=False)
class Function:
    """A function with a body. work: of the document, which running a `constexpr` function takes from.

    unit: the source that is compiled, which includes the file `path` or is it.
    """

    name: str
    params: list[Variable]
    returns: CType
    body: Block
    span: Span
    name_span: Span
    path: str
    pragmas: list[Pragma] = field(default_factory=list)
    template_params: tuple[str, ...] = ()
    variables: dict[str, Variable] = field(default_factory=dict)
    static: bool = False
    constexpr: bool = False
    work: Work | None = None
    unit: str = ""

    def pragma(self, dialect: str, *kinds: str) -> Pragma | None:
        """The last pragma of one of these kinds that applies to the whole function, or None."""
        for pragma in reversed(self.pragmas):
            if pragma.dialect == dialect and pragma.kind in kinds:
                return pragma
        return None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read: unbalanced braces, a cyclic include, a missing local header."""

    message: str
    path: str
    span: Span
    severity: str = "warning"


@dataclass(slots=True, eq=False)
class Program:
    """All that was read. functions: in source order; pragmas: every one written, also those that apply to nothing; of
    one in a template the copy that its last instance has, as each instance's own stand at its loops and functions.

    sources: text of every file that was read, by path, for exact ranges and edits. overloads: by the name that several
    functions have, the names of all but the first.
    declared: names of functions that a declaration was read of, perhaps with no body anywhere. c_linkage: of those in
    an `extern "C"`.
    fields: what the methods of a struct see of it, by struct and field. bases: of a struct. defaults: of the parameters
    of a function, None where one has none. work: what may still be read, and what was not.
    faults: in how many places a text is no C++, or ends in the middle of a comment or of an `#if`.
    copied: by an object, those whose constant fields are as its own.
    elsewhere: calls of templates whose bodies their units do not have, and the instance that each means.
    fill_steps: what running code took that fills tables and builds objects; over FILL_STEPS not all of it was run.
    """

    path: str
    functions: dict[str, Function] = field(default_factory=dict)
    globals: dict[str, Variable] = field(default_factory=dict)
    fields: dict[str, dict[str, Variable]] = field(default_factory=dict)
    bases: dict[str, list[str]] = field(default_factory=dict)
    defaults: dict[str, tuple[Expr | None, ...]] = field(default_factory=dict)
    pragmas: list[Pragma] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    comments: dict[str, dict[int, str]] = field(default_factory=dict)
    missing_headers: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    overloads: dict[str, list[str]] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    c_linkage: set[str] = field(default_factory=set)
    dialect: str = "HLS"
    work: Work = field(default_factory=lambda: Work(READ_STEPS))
    faults: int = 0
    copied: dict[Variable, list[Variable]] = field(default_factory=dict)
    elsewhere: list[tuple[Call, str]] = field(default_factory=list)
    fill_steps: int = 0
    _dependences: list[Pragma] | None = None

    def dependences(self) -> list[Pragma]:
        """Every `pragma HLS dependence`, found once: asked for with each recurrence, when all pragmas are there."""
        if self._dependences is None:
            owners: list[Loop | Function] = list(self.functions.values())
            owners += self.loops()
            self._dependences = [p for owner in owners for p in owner.pragmas if p.kind == "DEPENDENCE"]
        return self._dependences

    def let_go(self) -> None:
        """Cut what leads in circles, when nothing is asked any more: all goes at once, and the collector looks at none.

        Loops know the one around them, and pragmas what they are of.
        """
        for function in self.functions.values():
            for pragma in function.pragmas:
                pragma.owner = None
            for loop in loops_of(function.body):
                loop.parent = None
                for pragma in loop.pragmas:
                    pragma.owner = None

    def loops(self, function: str | None = None) -> Iterator[Loop]:
        """Every loop (of one function), outer before inner, in source order."""
        chosen = [self.functions[function]] if function else list(self.functions.values())
        for item in chosen:
            yield from loops_of(item.body)


def loops_of(block: Block) -> Iterator[Loop]:
    """Every loop inside `block`, outer before inner."""
    return (item for item in statements_of(block) if isinstance(item, Loop))


def statements_of(block: Block, *, into_loops: bool = True) -> Iterator[Stmt]:
    """Every statement inside `block` in source order, each before those inside it.

    Without recursion: blocks inside one another would hand each statement on through all of them.
    """
    pending = block.items[::-1]
    while pending:
        item = pending.pop()
        yield item
        kind = type(item)
        if kind is Evaluate or kind is Declare:
            continue
        if isinstance(item, Block):
            pending += item.items[::-1]
        elif isinstance(item, If):
            if item.otherwise is not None:
                pending += item.otherwise.items[::-1]
            pending += item.then.items[::-1]
        elif into_loops and isinstance(item, Loop):
            pending += item.body.items[::-1]


def loops_in(block: Block) -> Iterator[Loop]:
    """The loops of `block` that are inside no other loop of it, in source order."""
    return (item for item in statements_of(block, into_loops=False) if isinstance(item, Loop))
