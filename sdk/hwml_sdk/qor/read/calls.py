"""Calls and what looks like one: functions, methods, templates, casts, values of a type, `sizeof`, `new`."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from ..program import ir
from ..program.sizes import byte_size, size_of
from ..program.typenames import INT, TASKS, UNKNOWN, split_scope, split_template
from .algorithms import algorithm
from .expressions import element, extents
from .initialisers import in_order
from .mathematics import in_double
from .members import called_object, converted, find_method, overloaded, temporary
from .outputs import assignments
from .reader import Reader
from .templates import instance_elsewhere, instantiate

if TYPE_CHECKING:
    from tree_sitter import Node

POINTER_BYTES = 8
_VALUES = ("call_expression", "lambda_expression", "compound_literal_expression", "subscript_expression")
_CASTS = ("static_cast", "reinterpret_cast", "const_cast", "dynamic_cast")


def call(reader: Reader, node: Node) -> ir.Expr:
    """`f(a)`, whatever `f` turns out to be."""
    target = node.child_by_field_name("function")
    listed = node.child_by_field_name("arguments")
    args = tuple(reader.expression(child) for child in listed.named_children) if listed is not None else ()
    if target is None:
        return ir.Call("?", args)
    if target.type == "parenthesized_expression":  # `(T)(a)` is a cast, `(f)(a)` a call
        text = reader.src(target)[1:-1].strip()
        if len(args) == 1 and reader.names.is_type(text):
            return ir.Cast(reader.names.parse(text), args[0])
        return ir.Call(text, args, span=reader.span(target))
    if target.type == "field_expression":
        return _method_call(reader, target, args)
    if target.type in _VALUES:
        return _of_value(reader, target, args)
    limit = reader.names.constant(reader.src(target)) if "numeric_limits" in reader.src(target) else None
    if limit is not None:
        return ir.Const(limit, INT)
    held = reader.names.variable(reader.src(target))
    if held is not None and held.type.kind == "function":
        return ir.Call(held.type.name, args, span=reader.span(target))
    if held is not None:
        found = called_object(reader, ir.Ref(held.name, held), args)
        if found is not None:
            return found
    return _static_method(reader, target, args) or _named_call(reader, target, args, held)


def _of_value(reader: Reader, target: Node, args: tuple[ir.Expr, ...]) -> ir.Expr:
    """`Less()(a, b)` and `[&](int v) { ... }(a)`: a functor or a lambda that is called where it is made."""
    made = reader.expression(target)
    if isinstance(made, ir.Ref) and made.var is not None and made.var.type.kind == "function":
        return ir.Call(made.var.type.name, args, span=reader.span(target))
    if args and isinstance(args[0], ir.Ref) and reader.type_of_value(made).name in TASKS:
        return ir.Call(args[0].name, args[1:], span=reader.span(target))  # `hls::task t[4]; t[i](f, a, b);`
    found = called_object(reader, made, args)
    if found is None and target.type == "subscript_expression" and _has_bits(reader.type_of_value(made)):
        return ir.Call("range", args, receiver=made)  # `w[i](7, 0)`: bits of an element
    return found or ir.Call(reader.src(target), args, span=reader.span(target))


def _static_method(reader: Reader, target: Node, args: tuple[ir.Expr, ...]) -> ir.Expr | None:
    """`Fir<16>::run(a)`, also of a template parameter `CFG::run(a)`; None for anything else."""
    if target.type != "qualified_identifier":
        return None
    scope, member = split_scope(reader.src(target))
    owner = reader.names.named_type(scope)
    if owner is None or owner.kind != "struct":
        return None
    label, given = split_template(member)
    name = find_method(reader, owner.name, label, args, given) or f"{owner.name}::{member}"
    return ir.Call(name, args, span=reader.span(target), function=_constant_function(reader, name))


def _named_call(reader: Reader, target: Node, args: tuple[ir.Expr, ...], held: ir.Variable | None) -> ir.Expr:
    """A cast, an instance of a template, a value of a type or a plain call; held: a variable of the name."""
    text = reader.src(target)
    name, given = split_template(text)
    known = reader.names.types.get(name)
    if known is not None and known.kind in ("unknown", "function") and known.name:
        name = known.name  # a template's parameter that stands for a function
    if name in _CASTS and args and given:
        wanted = reader.names.parse(given[0])
        return ir.Cast(wanted, converted(reader, wanted, args[0]))
    if reader.names.owner and "::" not in name:
        own = find_method(reader, reader.names.owner, name, args, given)
        if own is not None:
            return ir.Call(own, args, span=reader.span(target), function=_constant_function(reader, own), own=True)
    short = name.rpartition("::")[2]
    if short in ("min", "max") and len(args) == 1 and isinstance(args[0], ir.Many) and len(args[0].items) > 1:
        return reduce(lambda one, two: ir.Call(name, (one, two), span=reader.span(target)), args[0].items)
    if short in reader.templates and not (not given and _takes(reader, short, len(args))):
        name, place = instantiate(reader, short, given, args), reader.span(target)
        return ir.Call(name, args, None, tuple(given), place, _constant_function(reader, name), own=True)
    # A function may have the name of a type of the vendor's headers: `int half(int n)`.
    is_type = target.type == "primitive_type" or (reader.names.is_type(text) and not _is_function(reader, text))
    kind = reader.names.parse(text) if is_type else UNKNOWN
    if kind.kind == "struct":
        return temporary(reader, kind, args, target)
    if len(args) == 1 and kind.kind != "unknown":
        return ir.Cast(kind, args[0])
    args = in_double(reader, name, args)
    written = assignments(reader, target, name, args) or algorithm(reader, target, name, args)
    if written is not None:
        return written
    if held is not None and _has_bits(held.type) and held.type.kind not in ("struct", "vector"):
        return ir.Call("range", args, receiver=ir.Ref(held.name, held))  # `word(7, 0)`
    # `vec3(x, y, z)` makes a value: no function is called.
    value = kind.kind != "unknown" or (held is not None and _has_bits(held.type))
    if not value:
        name = overloaded(reader, name, args)
    function = _constant_function(reader, name)
    known_here = name in reader.program.functions or name in reader.program.declared or _is_function(reader, name)
    made = ir.Call(name, args, None, tuple(given), None if value else reader.span(target), function, known_here)
    instance_elsewhere(reader, made)
    return made


def _takes(reader: Reader, name: str, count: int) -> bool:
    """Whether a plain function of that name takes so many arguments, beside a template of the same name."""
    functions = [reader.program.functions.get(one) for one in (name, *reader.program.overloads.get(name, ()))]
    return any(function is not None and len(function.params) >= count for function in functions)


def _is_function(reader: Reader, name: str) -> bool:
    """Whether a function of that name was read, or is being read."""
    here = reader.function.name if reader.function is not None else ""
    return name in reader.program.functions or name == here.partition("(")[0]


def _constant_function(reader: Reader, name: str) -> ir.Function | None:
    """A `constexpr` function of that name, which may be the one whose body this is."""
    functions = reader.program.functions
    function = functions.get(name) or functions.get(name.rpartition("::")[2])
    if function is None and reader.function is not None and reader.function.name == name:
        function = reader.function
    return function if function is not None and function.constexpr else None


def _has_bits(kind: ir.CType) -> bool:
    return kind.kind in ("fixed", "ufixed", "struct", "vector") or kind.name.startswith(("ap_", "ac_"))


def _method_call(reader: Reader, target: Node, args: tuple[ir.Expr, ...]) -> ir.Expr:
    """`a.f(b)`; of arrays `size` is a number and `at` an element."""
    argument = target.child_by_field_name("argument")
    name = target.child_by_field_name("field")
    label, given = split_template(reader.src(name).removeprefix("template ")) if name is not None else ("?", [])
    if argument is None:
        return ir.Call(label, args)
    base, label = _of_base(reader, label)
    own = find_method(reader, base or reader.names.owner, label, args, given) if argument.type == "this" else None
    if own is not None:
        return ir.Call(own, args, span=reader.span(target))
    receiver = reader.expression(argument)
    dims = extents(receiver) if label in ("size", "at") else ()
    if label == "size" and not args and dims:
        return ir.Const(dims[0], INT)
    if label == "at" and len(args) == 1 and dims:
        return element(receiver, args[0])
    if label == "fill" and len(args) == 1 and extents(receiver):  # of a std::array: each element is written
        return ir.Call("memset", (receiver, *args), span=reader.span(target))
    owner = reader.type_of_value(receiver)
    inner = next((kind for field, kind, _ in owner.fields if field == label), None)
    if inner is not None and args:  # `beat.data(7, 0)`, `s.f(a)`: a field, whose bits are taken or which is called
        member = ir.Member(receiver, label)
        return called_object(reader, member, args) or ir.Call("range", args, receiver=member)
    if owner.kind == "struct":
        label = find_method(reader, base or owner.name, label, args, given) or label
    elif label[:4] in ("get_", "set_") and owner.field_of(label[4:]) is not None:
        return _of_field(ir.Member(receiver, label[4:]), args)
    return ir.Call(label, args, receiver=receiver)


def _of_base(reader: Reader, label: str) -> tuple[str, str]:
    """(struct, method) of `Base::f` in `this->Base::f(a)`, also by another name of the base; ("", f) without one."""
    scope, member = split_scope(label)
    kind = reader.names.named_type(scope) if scope else None
    return (kind.name, member) if kind is not None and kind.kind == "struct" else ("", label)


def _of_field(member: ir.Member, args: tuple[ir.Expr, ...]) -> ir.Expr:
    """`beat.get_last()` and `beat.set_last(v)` of ap_axi_sdata.h: the field is read or written."""
    return ir.Assign("=", member, args[0]) if args else member


def allocation(reader: Reader, node: Node) -> ir.Expr:
    """`new T[n]` and `delete p`, kept as calls of that name: synthesis refuses both."""
    name = "new" if node.type == "new_expression" else "delete"
    return ir.Call(name, (), span=reader.span(node.children[0]))


def literal_of_type(reader: Reader, node: Node) -> ir.Expr:
    """`T{a, b}`."""
    kind = reader.type_of(node.child_by_field_name("type"))
    listed = node.child_by_field_name("value")
    children = listed.named_children if listed is not None else []
    args: tuple[ir.Expr, ...] = tuple(map(reader.expression, children))
    if listed is not None and any(child.type == "initializer_pair" for child in children):
        placed = in_order(reader, listed, kind, ())
        args = placed.items if isinstance(placed, ir.Many) else (placed,)
    if kind.kind == "struct":
        return temporary(reader, kind, args, node)
    return ir.Cast(kind, args[0]) if len(args) == 1 else ir.Cast(kind, ir.Many(args))


def cast(reader: Reader, node: Node) -> ir.Expr:
    """`(T)a`."""
    kind = reader.type_of(node.child_by_field_name("type"))
    return ir.Cast(kind, converted(reader, kind, reader.expression(node.child_by_field_name("value"))))


def sizeof(reader: Reader, node: Node) -> ir.Expr:
    """Bytes; of what is not known nothing. The parser takes `sizeof(a[0])` and `sizeof(a)` for types."""
    inner = node.child_by_field_name("type") or node.child_by_field_name("value")
    if inner is None:
        return ir.Const(None, INT)
    text = reader.src(inner)
    while text[:1] == "(" and text[-1:] == ")":
        text = text[1:-1].strip()
    name, brackets, _ = text.partition("[")
    var = reader.names.variable(name.strip())
    if var is not None and (not brackets or inner.type == "type_descriptor"):
        subscripts = tuple(ir.Const(0, INT) for _ in range(text.count("[")))
        place: ir.Expr = ir.Ref(name, var)
        return ir.Const(size_of(ir.Index(place, subscripts) if subscripts else place), INT)
    if inner.type == "parenthesized_expression" and inner.named_child_count == 1:
        inner = inner.named_children[0]  # the parser takes `sizeof(ap_int<8>)` for a value
    if inner.type not in ("type_descriptor", "template_function") and not reader.names.is_type(text):
        return ir.Const(size_of(reader.expression(inner)), INT)
    if "*" in text.rpartition(">")[2]:
        return ir.Const(POINTER_BYTES, INT)
    dims = reader.names.type_dims.get(text, ())
    return ir.Const(byte_size(reader.names.parse(text), dims), INT)
