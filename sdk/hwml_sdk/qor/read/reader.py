"""Where the reader of one unit stands, what it has found, and the rules that say who reads which kind of node.

The rules themselves stand in modules by subject (`expressions`, `calls`, `statements`, `loops`, `declarations`, ...).
C++ nests them in every way, a lambda in an expression in a loop in a method of a template, so a rule reads what is
inside its node through the reader (`reader.expression(node)`), and only `grammar` knows all rules.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

from ...text import Span
from ..program import ir
from ..program.arguments import Bound
from ..program.budget import MAX_DEPTH, OWN_STEPS
from ..program.constants import evaluate
from ..program.numbers import Number
from ..program.type_of import type_of_expression
from ..program.typenames import THIS, UNKNOWN
from .names import Names
from .parsing import BEFORE, parse_expression
from .pragmas import Pragmas
from .preprocess import Unit

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MAX_INSTANCES = 200  # of templates, in one unit
MAX_OPEN_CLASSES = 32  # instances of class templates inside one another: `Pair<Pair<T>>` may grow for ever

# Expressions that leave no hardware: texts, addresses, types, half-typed code (for which there is a note).
SILENT = frozenset({
    "string_literal", "raw_string_literal", "concatenated_string", "null", "nullptr", "this", "type_descriptor",
    "type_identifier", "primitive_type", "template_type", "ERROR", "comment", "declaration",
    "field_identifier", "dependent_name", "operator_name", "user_defined_literal", "offsetof_expression",
    "alignof_expression", "placeholder_type_specifier", "sized_type_specifier", "parameter_pack_expansion",
    "init_statement", "abstract_function_declarator", "requires_clause",
})  # fmt: skip

_MAY_LOOP = frozenset({
    "for_statement", "for_range_loop", "while_statement", "do_statement", "labeled_statement", "compound_statement",
    "function_definition",
})  # fmt: skip

LoopStart = tuple[int, ir.Loop | None]  # offset, and the loop; None where one was not read
ItemRule = Callable[["Reader", "Node"], None]
StatementRule = Callable[["Reader", "Node", ir.Block, str], None]
ExpressionRule = Callable[["Reader", "Node"], ir.Expr]
SpecifierRule = Callable[["Reader", "Node"], ir.CType]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Which rule reads which kind of node of tree-sitter-cpp.

    items: at file, namespace and class level. statements: in a body; they get the block to fill and their label.
    specifiers: types that declare something themselves. class_instance: as in `Names`. function_instance: name of the
    function that a template becomes with these arguments, of the template and of the call.
    """

    items: Mapping[str, ItemRule]
    statements: Mapping[str, StatementRule]
    expressions: Mapping[str, ExpressionRule]
    specifiers: Mapping[str, SpecifierRule]
    class_instance: Callable[[Reader, str], ir.CType | None]
    function_instance: Callable[[Reader, str, list[str], Sequence[ir.Expr]], str]


@dataclass(slots=True)
class Reader:
    """The state of reading one unit into a program; several units may go into the same program.

    function, loop: those whose body is read; anonymous: loops without a label in this function so far.
    standing_for: `auto &v : a` is an element of a. text: what nodes have their offsets in, the unit's or that of an
    expression by itself. shift: what makes such an offset one of the unit's text, None where nothing does; here: where
    the node that was begun last begins in it. loop_starts: where loops of the function that is read begin, by offset,
    for pragmas above them; all_loop_starts: those of the functions that were read. depth, instances, open_loops: how
    far the work has gone, held against the limits.
    """

    unit: Unit
    program: ir.Program
    grammar: Grammar
    names: Names = field(init=False)
    # Templates by name: (definition, parameters) of each, specialisations with what their arguments must be.
    templates: dict[str, list[tuple[Node, Node]]] = field(default_factory=dict)
    special_functions: dict[str, list[tuple[Node, list[str]]]] = field(default_factory=dict)
    declared_functions: dict[str, Node] = field(default_factory=dict)  # parameters of templates met without a body
    class_templates: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    declared_classes: dict[str, tuple[Node, Node]] = field(default_factory=dict)  # templates met without a body
    bound: Bound = field(default_factory=dict)  # of the instances of classes that are being read
    around: dict[str, Bound] = field(default_factory=dict)  # what a template inside such a class sees
    alias_templates: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    special_classes: dict[str, list[tuple[Node, Node, list[str]]]] = field(default_factory=dict)
    outside: dict[str, list[tuple[Node, Node]]] = field(default_factory=dict)  # members of class templates
    outside_values: dict[str, list[tuple[Node, Node]]] = field(default_factory=dict)  # their constants
    initial_fields: dict[str, dict[str, ir.Expr]] = field(default_factory=dict)  # `int a = 3;` by struct
    methods: set[str] = field(default_factory=set)  # declared in a class, their bodies perhaps elsewhere
    variable_templates: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    special_variables: dict[str, list[tuple[Node, list[str]]]] = field(default_factory=dict)
    # Member templates by name: their class, and the types and constants that are known in it.
    owners: dict[str, tuple[str, dict[str, ir.CType], dict[str, Number]]] = field(default_factory=dict)
    open_instances: set[str] = field(default_factory=set)  # of templates that are being read
    function: ir.Function | None = None
    loop: ir.Loop | None = None
    anonymous: int = 0
    standing_for: dict[ir.Variable, ir.Expr] = field(default_factory=dict)
    text: str = field(init=False)
    shift: int | None = 0
    here: int = 0
    pragmas: Pragmas = field(init=False)
    labels: dict[tuple[int, int], dict[str, int]] = field(default_factory=dict)  # by function, where each stands
    body: tuple[int, int] = (-1, -1)  # offsets of the function's body that is read
    alone: dict[str, tuple[str, Tree, Node] | None] = field(default_factory=dict)  # expressions that were parsed
    plain_names: dict[tuple[int, int], frozenset[str]] = field(default_factory=dict)  # of std, by part of the text
    loop_starts: list[LoopStart] = field(default_factory=list)
    all_loop_starts: list[LoopStart] = field(default_factory=list)
    depth: int = 0
    instances: int = 0
    classes: int = 0  # instances of class templates that were read
    open_loops: int = 0

    def __post_init__(self) -> None:
        self.text = self.unit.text
        self.pragmas = Pragmas(self.unit)
        self.names = Names([self.program.globals], partial(self.grammar.class_instance, self), self.value)

    def close(self) -> None:
        """Nothing is read any more. Names lead back here: without them no circle is left, and the trees go at once."""
        del self.names

    def src(self, node: Node) -> str:
        """The text of a node."""
        return self.text[node.start_byte : node.end_byte]

    def span(self, node: Node) -> Span:
        """Where a node stands in the sources."""
        shift = self.shift
        if shift is None:
            return self.unit.span(self.here, self.here)
        return self.unit.span(shift + node.start_byte, shift + node.end_byte)

    def path(self, node: Node) -> str:
        """The file a node stands in."""
        return self.unit.path(self.start(node))

    def start(self, node: Node) -> int:
        """Where a node begins in the unit's text."""
        return self.here if self.shift is None else self.shift + node.start_byte

    def end(self, node: Node) -> int:
        """Where a node ends in the unit's text."""
        return self.here if self.shift is None else self.shift + node.end_byte

    # -- what is inside a node --------------------------------------------------------------------------------

    def leave_out(self, node: Node) -> None:
        """A node is not read: pragmas inside it belong to nothing, nor do those right above a loop that it holds."""
        if self.shift is None:
            return  # no part of the unit's text, where the pragmas stand
        self.pragmas.drop(self.start(node), self.end(node))
        if node.type in _MAY_LOOP:
            insort(self.loop_starts, (self.start(node), None), key=itemgetter(0))

    def _may_read(self, node: Node) -> bool:
        """Whether one more node may be read: neither too far inside nor over the document's work."""
        shift = self.shift
        if shift is not None:
            self.here = shift + node.start_byte
        if self.depth > MAX_DEPTH:
            self.program.work.leave_out("code is nested too deeply: what is further inside is left out")
        elif self.program.work.take():
            return True
        self.leave_out(node)
        return False

    def _is_too_much_of_headers(self, node: Node) -> bool:
        """Whether a node is of a header, and the work that is left is kept for what includes it."""
        if self.program.work.left > OWN_STEPS or self.unit.place(node.start_byte)[0] == 0:
            return False
        self.program.work.leave_out("there is more code in headers than is analysed at once: the rest is left out")
        self.leave_out(node)
        return True

    def items(self, nodes: Iterable[Node]) -> None:
        """Read everything at file or namespace level."""
        for node in nodes:
            self.item(node)

    def item(self, node: Node) -> None:
        """Read one thing at file or namespace level."""
        self.depth += 1
        if self._may_read(node) and not self._is_too_much_of_headers(node):
            rule = self.grammar.items.get(node.type)
            if rule is not None:
                rule(self, node)
        self.depth -= 1

    def statements(self, nodes: Iterable[Node], block: ir.Block) -> None:
        """Read statements into a block."""
        for node in nodes:
            self.statement(node, block)

    def statement(self, node: Node, block: ir.Block, label: str = "") -> None:
        """Read one statement into a block; an expression may stand for one in half-typed code."""
        self.depth += 1
        if self._may_read(node):
            kind = node.type
            rule = self.grammar.statements.get(kind)
            if rule is not None:
                rule(self, node, block, label)
            elif kind.endswith("_expression") or kind == "identifier":
                block.items.append(ir.Evaluate(self.expression(node)))
        self.depth -= 1

    def expression(self, node: Node | None) -> ir.Expr:
        """Read an expression; an unknown constant for what is missing, of no known kind, or too far inside."""
        if node is None:
            return ir.Const(None, UNKNOWN)
        self.depth += 1
        try:
            if not self._may_read(node):
                return ir.Const(None, UNKNOWN)
            kind = node.type
            rule = self.grammar.expressions.get(kind)
            if rule is not None:
                return rule(self, node)
            if kind == "this":
                return ir.Const(None, THIS)
            if kind in SILENT or not node.is_named:
                return ir.Const(None, UNKNOWN)
            # Nobody says what it does: kept as a call of what it is, so that no figure is built on it.
            return ir.Call(kind.replace("_", " "), (), span=self.span(node))
        finally:
            self.depth -= 1

    def value(self, text: str) -> Number | None:
        """Value of a constant expression given as text: of an option, an extent, an argument of a template."""
        found = self.expression_of(text)
        return None if found is None else evaluate(found, {})

    def expression_of(self, text: str, at: int | None = None) -> ir.Expr | None:
        """An expression given as text, read with the names known here; None where the text is none.

        at: where the text stands in the unit's; None where it comes from elsewhere, and stands where the reader does.
        """
        if text not in self.alone:
            self.alone[text] = parse_expression(text)
        parsed = self.alone[text]
        if parsed is None:
            return None
        outside = self.text, self.shift
        self.text, self.shift = parsed[0], None if at is None else at - len(BEFORE)
        found = self.expression(parsed[2])
        self.text, self.shift = outside
        return found

    def type_of(self, node: Node | None) -> ir.CType:
        """The type a specifier stands for; unknown where there is none."""
        if node is None:
            return UNKNOWN
        rule = self.grammar.specifiers.get(node.type)
        return rule(self, node) if rule is not None else self.names.parse(self.src(node))

    def type_of_value(self, expr: ir.Expr) -> ir.CType:
        """The type of an expression's value."""
        return type_of_expression(expr, self.program)
