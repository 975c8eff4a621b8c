"""Functions with a body: their parameters, and lambdas as functions of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..program import ir
from ..program.constants import evaluate
from ..program.typenames import UNKNOWN, class_name
from .declarators import VARIABLE_STEPS, declarator, function_declarator, unpacked, with_pointer, words_of
from .defaults import note_defaults
from .placing import place
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTION_STEPS = 8  # nodes that are read in the time that a function takes beside its statements
CLOSURE_DEPTH = 3  # what a lambda counts for beside its declaration, as reading one takes as many calls as four nodes


def function_definition(reader: Reader, node: Node, key: str = "", template_params: tuple[str, ...] = ()) -> None:
    """Read a function into the program, under the name `key` where it is a method or an instance of a template."""
    declared = node.child_by_field_name("declarator")
    converts = declared is not None and declared.type == "operator_cast"  # `operator float() const`
    head = declared if converts else function_declarator(declared)
    body = node.child_by_field_name("body")
    if head is None or body is None:
        return
    result = reader.type_of((head if converts else node).child_by_field_name("type"))
    function = new_function(reader, head, result, node, key)
    if function is None:
        reader.leave_out(node)
        return
    with inside(reader, function, head, (reader.start(body), reader.end(body))):
        function.template_params = template_params
        words = words_of(reader, node)
        function.static, function.constexpr = "static" in words, bool(words & {"constexpr", "consteval"})
        _initialised(reader, node, function)
        reader.statements(body.named_children, function.body)


def new_function(reader: Reader, head: Node, result: ir.CType, whole: Node, key: str = "") -> ir.Function | None:
    """The function a declarator names, still empty; None where it names none."""
    name_node = head.child_by_field_name("declarator")
    if name_node is None or not reader.program.work.take(FUNCTION_STEPS):
        return None
    name = key or reader.src(name_node).replace("operator ", "operator")
    span, name_span = reader.span(whole), reader.span(name_node)
    unit = reader.unit.files[0].path
    path, work = reader.path(whole), reader.program.work
    return ir.Function(name, [], result, ir.Block(), span, name_span, path, work=work, unit=unit)


@contextmanager
def inside(
    reader: Reader, function: ir.Function, head: Node | None, body: tuple[int, int], anonymous: int = 0
) -> Iterator[None]:
    """Stand in a function whose body reaches over these offsets, its parameters (of `head`) known.

    Afterwards it has the pragmas of its body, and its name stands for it in the program.
    """
    outside = reader.function, reader.loop, reader.anonymous, reader.body, reader.pragmas.taken, reader.loop_starts
    reader.function, reader.loop, reader.anonymous, reader.body = function, None, anonymous, body
    reader.pragmas.taken, reader.loop_starts = set(), []
    scopes = reader.names.scopes
    scopes.append({})
    parameters = head.child_by_field_name("parameters") if head is not None else None
    for child in parameters.named_children if parameters is not None else ():
        if child.type in ("parameter_declaration", "optional_parameter_declaration"):
            _parameter(reader, child, function)
    scopes.append({})
    _tell_apart(reader, function)
    note_defaults(reader, function.name, head)
    yield
    place(reader, *body, function)
    del scopes[-2:]
    _keep(reader, function)
    taken = reader.pragmas.taken
    reader.all_loop_starts += reader.loop_starts
    reader.function, reader.loop, reader.anonymous, reader.body, reader.pragmas.taken, reader.loop_starts = outside
    if reader.body[0] < body[0] and body[1] < reader.body[1]:  # a lambda, a local class: not another instance
        reader.pragmas.taken |= taken


def _keep(reader: Reader, function: ir.Function) -> None:
    """Let a name stand for a function; what the source itself says counts more than what a unit beside it says."""
    program = reader.program
    known = program.functions.get(function.name)
    if known is None or known.unit != program.path or function.unit == program.path:
        program.functions[function.name] = function


def _tell_apart(reader: Reader, function: ir.Function) -> None:
    """Give an overload a name of its own: that of the first with its parameters' types behind it."""
    program = reader.program
    first = program.functions.get(function.name)
    told = function.name.endswith(")") and not function.name.endswith("operator()")
    if first is None or _signature(first) == _signature(function) or told:
        return
    name = f"{function.name}({', '.join(_signature(function))})"
    known = program.overloads.setdefault(function.name, [])
    if name not in known:
        known.append(name)
    function.name = name
    for param in function.params:
        param.function = name


def _signature(function: ir.Function) -> list[str]:
    return [
        f"{p.type.name or p.type.kind}{p.type.width}{'*' * (p.type.pointer + len(p.dims))}" for p in function.params
    ]


def _initialised(reader: Reader, node: Node, function: ir.Function) -> None:
    """`: a(x), b{y}, Base(z)` before the body of a constructor, as assignments to the fields and calls of constructors.

    Before them the fields get the values that the struct itself gives them, of those that are named here none.
    """
    items = [item for c in node.children if c.type == "field_initializer_list" for item in c.named_children]
    named = {reader.src(item.named_children[0]) for item in items if item.named_children}
    owner = reader.names.owner
    if owner and function.name.partition("(")[0] == f"{owner}::{class_name(owner)}" and class_name(owner) not in named:
        for field, value in reader.initial_fields.get(owner, {}).items():
            if field not in named:
                target = ir.Ref(field, reader.names.variable(field))
                function.body.items.append(ir.Evaluate(ir.Assign("=", target, value)))
    for item in items:
        parts = item.named_children
        given = parts[-1].named_children if len(parts) > 1 else []
        var = reader.names.variable(reader.src(parts[0])) if parts else None
        values = [reader.expression(child) for child in given]
        if var is not None and len(values) == 1:
            function.body.items.append(ir.Evaluate(ir.Assign("=", ir.Ref(var.name, var), values[0])))
        elif var is None and parts:
            kind = reader.names.named_type(reader.src(parts[0]))
            function.body.items.append(ir.Evaluate(_of_base(reader, kind, values, parts[0])))
        else:
            function.body.items += [ir.Evaluate(value) for value in values]


def _of_base(reader: Reader, kind: ir.CType | None, values: list[ir.Expr], node: Node) -> ir.Expr:
    """What the constructor of a base class does, or another one of the class itself."""
    if kind is None or kind.kind != "struct":
        return ir.Many(tuple(values), comma=True)
    name = f"{kind.name}::{class_name(kind.name)}"
    choices = [name, *reader.program.overloads.get(name, ())]
    found = {choice: reader.program.functions.get(choice) for choice in choices}
    fitting = [choice for choice, other in found.items() if other is not None and len(other.params) == len(values)]
    if not fitting and name not in reader.methods:
        return ir.Many(tuple(values), comma=True)
    return ir.Call((fitting or [name])[0], tuple(values), span=reader.span(node))


def _parameter(reader: Reader, node: Node, function: ir.Function) -> None:
    """A parameter; one that is const is no compile-time constant, so that `const` stays off.

    One without a name takes its place among the others: it tells overloads apart, and the next argument is not its own.
    """
    kind_node = node.child_by_field_name("type")
    inner = node.child_by_field_name("declarator")
    name, dims, pointer = declarator(reader, inner)
    if kind_node is None or (inner is None and reader.src(kind_node) == "void"):
        return
    base_dims = reader.names.type_dims.get(reader.src(kind_node), ()) if kind_node is not None else ()
    kind, extents = unpacked(reader, reader.type_of(kind_node))
    if pointer:
        kind = with_pointer(kind, pointer)
    reader.program.work.take(VARIABLE_STEPS)
    var = ir.Variable(
        name, kind, (*dims, *base_dims, *extents), "param", reader.span(inner or node), reader.path(node),
        function=function.name,
    )  # fmt: skip
    function.params.append(var)
    if name:
        function.variables[name] = var
        reader.names.scopes[-1][name] = var


def lambda_value(reader: Reader, node: Node) -> ir.Expr:
    """A lambda where a value is asked for: called at once, or handed on."""
    name = f"lambda_{reader.start(node)}"
    closure(reader, name, node)
    return ir.Ref(name, reader.names.variable(name))


def closure(reader: Reader, name: str, node: Node) -> None:
    """`auto f = [&](int a) { ... };`: a function of its own that sees the variables around it."""
    body = node.child_by_field_name("body")
    outer = reader.function
    if outer is None or body is None:
        return
    span, path = reader.span(node), reader.path(node)
    label, body_of = f"{outer.name}::{name}", ir.Block()
    function = ir.Function(label, [], UNKNOWN, body_of, span, span, path, static=True, unit=outer.unit)
    reader.depth += CLOSURE_DEPTH
    captured = list(_captured(reader, node, label))
    span_of_body = reader.start(body), reader.end(body)
    with inside(reader, function, node.child_by_field_name("declarator"), span_of_body, reader.anonymous):
        for var in captured:
            reader.names.scopes[-1][var.name] = var
            if isinstance(var.init, ir.Ref) and var.type.pointer:
                reader.standing_for[var] = var.init
            else:
                function.body.items.append(ir.Declare(var))
        reader.statements(body.named_children, function.body)
    reader.depth -= CLOSURE_DEPTH
    kind = ir.CType("function", 0, name=function.name)
    reader.names.scopes[-1][name] = ir.Variable(name, kind, (), "local", span, path)


def _captured(reader: Reader, node: Node, label: str) -> Iterator[ir.Variable]:
    """`[&m = a, k = n]`: names that a lambda gives to what it sees around it."""
    listed = node.child_by_field_name("captures")
    for item in listed.named_children if listed is not None else ():
        name, given = item.child_by_field_name("left"), item.child_by_field_name("right")
        if item.type != "lambda_capture_initializer" or name is None:
            continue
        value = reader.expression(given)
        kind = reader.type_of_value(value)
        by_reference = reader.src(item).startswith("&") or _has_reference(reader, listed, item)
        var = ir.Variable(
            reader.src(name), with_pointer(kind, 1) if by_reference else kind, (), "local", reader.span(item),
            reader.path(item), init=value, function=label,
        )  # fmt: skip
        # What it copied was there where the lambda stands, and may be another where it is called.
        var.handed = not by_reference and evaluate(value, {}) is None
        yield var


def _has_reference(reader: Reader, listed: Node | None, item: Node) -> bool:
    """Whether `&` stands before a capture, as a sign of its own."""
    before = item.prev_sibling
    return listed is not None and before is not None and before.type == "&"
