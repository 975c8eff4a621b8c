"""Templates: kept when they are met, read once for each list of arguments when something asks for an instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ..program import ir
from ..program.arguments import Argument, Bound
from ..program.budget import MAX_DEPTH
from ..program.typenames import UNKNOWN, split_scope, split_template
from . import expressions
from .arguments import bind, bind_defaults, covers, deduce, label_of, match, settle
from .declarators import declared_name, function_declarator
from .functions import FUNCTION_STEPS, function_definition
from .names import Table
from .reader import MAX_INSTANCES, MAX_OPEN_CLASSES, Reader
from .records import member_scope, method, record_body, static_outside

if TYPE_CHECKING:
    from tree_sitter import Node

FEW_PARAMETERS = 16  # of a template; more than those of real code have
PARAMETER_STEPS = 4  # nodes that are read in the time that binding a further one takes
_CLASSES = ("struct_specifier", "class_specifier", "union_specifier")


def template(reader: Reader, node: Node) -> None:
    """Keep a template of a function, a class or an alias, or a specialisation of one."""
    parameters = node.child_by_field_name("parameters")
    if parameters is None:
        return
    for child in node.named_children:
        if child.type == "function_definition":
            _keep_function(reader, child, parameters)
        elif child.type in (*_CLASSES, "alias_declaration"):
            _keep_class(reader, child, parameters)
        elif child.type == "declaration":
            head = function_declarator(child.child_by_field_name("declarator"))
            if head is not None:
                reader.declared_functions.setdefault(declared_name(reader, head), parameters)
            _keep_variable(reader, child, parameters)


def explicit_instance(reader: Reader, node: Node) -> None:
    """`template void half<ap_uint<16>>(...);`: an instance that is asked for by name."""
    head = function_declarator(node.child_by_field_name("declarator"))
    target = head.child_by_field_name("declarator") if head is not None else None
    if target is None:
        kind = node.child_by_field_name("type")
        name = kind.child_by_field_name("name") if kind is not None else None
        if name is not None:
            reader.names.parse(reader.src(name))
        return
    name_text, given = split_template(reader.src(target))
    short = name_text.rpartition("::")[2]
    if given and short in reader.templates:
        instantiate(reader, short, given, ())


def _keep_function(reader: Reader, inner: Node, parameters: Node) -> None:
    head = function_declarator(inner.child_by_field_name("declarator"))
    target = head.child_by_field_name("declarator") if head is not None else None
    if target is None or (target.type == "qualified_identifier" and _owner(reader, target)):
        return  # a member of a class template: `keep_members` has it
    name = declared_name(reader, target).rpartition("::")[2] or reader.src(target).replace("operator ", "operator")
    owner = reader.names.owner
    if owner and target.type != "template_function":
        name = f"{owner}::{name}"
        reader.owners[name] = owner, dict(reader.names.types), dict(reader.names.constants)
    if target.type == "template_function":
        reader.special_functions.setdefault(name, []).append((inner, split_template(reader.src(target))[1]))
    else:
        reader.templates.setdefault(name, []).append((inner, parameters))


def _keep_class(reader: Reader, inner: Node, parameters: Node) -> None:
    name_node = inner.child_by_field_name("name")
    if name_node is None:
        return
    owner = reader.names.owner
    name, special = split_template(reader.src(name_node))
    name = f"{owner}::{name}" if owner else name
    if reader.bound:
        reader.around[name] = dict(reader.bound)
    if name_node.type == "template_type":
        reader.special_classes.setdefault(name, []).append((inner, parameters, special))
    elif inner.type == "alias_declaration":
        reader.alias_templates[name] = (inner, parameters)
    elif inner.child_by_field_name("body") is not None:
        reader.class_templates[name] = (inner, parameters)
    else:
        reader.declared_classes.setdefault(name, (inner, parameters))  # defaults stand in the first declaration alone


def _keep_variable(reader: Reader, inner: Node, parameters: Node) -> None:
    """`template <typename T> constexpr T pi = T(3.14);`."""
    declared = inner.child_by_field_name("declarator")
    if declared is None or declared.type != "init_declarator":
        return
    named = declared.child_by_field_name("declarator")
    name, special = split_template(reader.src(named) if named is not None else "")
    if special:
        reader.special_variables.setdefault(name, []).append((declared, special))
    else:
        reader.variable_templates.setdefault(name, (declared, parameters))


def named_value(reader: Reader, node: Node) -> ir.Expr:
    """A qualified name, or one with arguments: what a variable template is with them, else as any other name."""
    name, given = split_template(split_scope(reader.src(node))[1])
    if not given or name not in reader.variable_templates:
        made = expressions.identifier(reader, node)
        function = node.type == "template_function" and isinstance(made, ir.Ref) and made.var is None
        return ir.Const(None, UNKNOWN) if function and name in reader.templates else made
    settled = [settle(reader, text) for text in given]
    declared, parameters = reader.variable_templates[name]
    for other, patterns in reader.special_variables.get(name, ()):
        if match(reader, patterns, settled, ()) is not None:
            return reader.expression(other.child_by_field_name("value"))
    with _elsewhere(reader):
        bound = dict(zip((label_of(reader, p) for p in parameters.named_children), settled, strict=False))
        bind(reader, bound)
        bind_defaults(reader, parameters, bound)
        return reader.expression(declared.child_by_field_name("value"))


def keep_members(reader: Reader, nodes: Iterable[Node]) -> None:
    """Keep members of class templates whose bodies stand outside: instances made before they are met have them too."""
    for node in nodes:
        body = node.child_by_field_name("body")
        if node.type in ("namespace_definition", "linkage_specification") and body is not None:
            keep_members(reader, body.named_children)
        parameters = node.child_by_field_name("parameters") if node.type == "template_declaration" else None
        for inner in node.named_children if parameters is not None else ():
            target = _declared_outside(inner)
            owner = _owner(reader, target) if target is not None else ""
            if owner and parameters is not None:
                kept = reader.outside if "function" in inner.type else reader.outside_values
                kept.setdefault(owner, []).append((inner, parameters))


def _declared_outside(inner: Node) -> Node | None:
    """What a template declares with a body or a value: the name of a function, or of a variable."""
    declared = inner.child_by_field_name("declarator")
    if "function" in inner.type:
        head = function_declarator(declared)
        return head.child_by_field_name("declarator") if head is not None else None
    if inner.type != "declaration" or declared is None or declared.type != "init_declarator":
        return None
    named = declared.child_by_field_name("declarator")
    while named is not None and named.type == "array_declarator":
        named = named.child_by_field_name("declarator")
    return named


def _owner(reader: Reader, target: Node) -> str:
    """`box` of `box<N>::run`, also in a namespace; "" of any other declarator."""
    scope = target.child_by_field_name("scope") if target.type == "qualified_identifier" else None
    if scope is None:
        return ""
    inner = target.child_by_field_name("name")
    deeper = _owner(reader, inner) if inner is not None else ""
    name = scope.child_by_field_name("name") if scope.type == "template_type" else None
    return deeper or (reader.src(name) if name is not None else "")


# -- instances of functions ----------------------------------------------------------------------------------


def instantiate_unused(reader: Reader) -> None:
    """Templates nobody calls are read with unknown parameters, so that they are seen at all."""
    called = {name.partition("<")[0] for name in reader.program.functions}
    for name in list(reader.templates):
        if name not in called and name not in reader.owners and reader.instances < MAX_INSTANCES:
            instantiate(reader, name, [], [])


def instantiate(reader: Reader, name: str, given: list[str], arguments: Sequence[ir.Expr]) -> str:
    """Read a function template with the given arguments; returns the name of the function made of it."""
    reader.program.work.take(FUNCTION_STEPS)
    settled = [settle(reader, text) for text in given]
    with _elsewhere(reader):
        owner, types, constants = reader.owners.get(name, ("", {}, {}))
        reader.names.types.update(types)
        reader.names.constants.update(constants)
        inner, parameters = _chosen(reader, name, settled, arguments)
        overload = _overload(reader, name, inner)
        _count_parameters(reader, parameters)
        labels = [label_of(reader, parameter) for parameter in parameters.named_children]
        bound = dict(zip(labels, settled, strict=False))
        deduce(reader, inner, parameters, bound, arguments)
        bind(reader, bound)
        bind_defaults(reader, parameters, bound, _declared(reader, name, parameters))
        # What an instance with unknown parameters hands on is unknown too.
        vague = reader.function is not None and "?" in reader.function.name
        told = [
            bound[label].name if label in bound and not (vague and bound[label].unread) else "?" for label in labels
        ]
        for special, patterns in reader.special_functions.get(name, ()):
            if match(reader, patterns, [bound[label] for label in labels if label in bound], ()) is not None:
                inner, labels = special, []
        key = (f"{name}<{', '.join(told)}>" if told else name) + overload
        with _member(reader, owner, inner):
            _read_function(reader, inner, key, labels)
        if any("variadic" in parameter.type for parameter in parameters.named_children):
            _leave_pack(reader, key, inner)
    return key


def _declared(reader: Reader, name: str, parameters: Node) -> Node | None:
    """The parameters of a template's declaration, which has its defaults, where that stands before its body."""
    declared = reader.declared_functions.get(name)
    same = declared is not None and declared.named_child_count == parameters.named_child_count
    return declared if same else None


def instance_elsewhere(reader: Reader, call: ir.Call) -> None:
    """Note the name of an instance that another unit may ask for by name: here the template is only declared."""
    parameters = reader.declared_functions.get(call.name)
    if parameters is None or not call.template_args:
        return
    settled = [settle(reader, text) for text in call.template_args]
    labels = [label_of(reader, parameter) for parameter in parameters.named_children]
    bound = dict(zip(labels, settled, strict=False))
    with _elsewhere(reader):
        bind(reader, bound)
        bind_defaults(reader, parameters, bound)
    told = ", ".join(bound[label].name if label in bound else "?" for label in labels)
    reader.program.elsewhere.append((call, f"{call.name}<{told}>"))


def _leave_pack(reader: Reader, key: str, inner: Node) -> None:
    """What stands for any number of parameters is not followed: say so where the function is called."""
    made = reader.program.functions.get(key)
    if made is not None:
        made.body.items.insert(0, ir.Evaluate(ir.Call("a parameter pack", (), span=reader.span(inner))))


@contextmanager
def _member(reader: Reader, owner: str, node: Node) -> Iterator[None]:
    """Stand in the struct whose member template is read; "" where it is no member."""
    kind = reader.names.types.get(owner) if owner else None
    if kind is None:
        yield
        return
    with member_scope(reader, owner, kind, node):
        yield


def _chosen(reader: Reader, name: str, given: Sequence[Argument], arguments: Sequence[ir.Expr]) -> tuple[Node, Node]:
    """The template of that name that takes so many arguments, of such types; the last one where none does."""
    found = reader.templates[name]
    able = []
    for inner, parameters in found if len(found) > 1 else ():
        listed = _parameters_of(inner)
        if len(given) <= parameters.named_child_count and len(listed) == len(arguments):
            able.append((inner, parameters))
    for inner, parameters in able if len(able) > 1 else ():
        labels = [label_of(reader, parameter) for parameter in parameters.named_children]
        bind(reader, dict(zip(labels, given, strict=False)))
        if not any(map(partial(_is_other_class, reader), _parameters_of(inner), arguments)):
            return inner, parameters
    return (able or found[-1:])[0]


def _parameters_of(inner: Node) -> list[Node]:
    head = function_declarator(inner.child_by_field_name("declarator"))
    listed = head.child_by_field_name("parameters") if head is not None else None
    return listed.named_children if listed is not None else []


def _is_other_class(reader: Reader, parameter: Node, argument: ir.Expr) -> bool:
    """Whether a parameter is of one class and what is given for it of another one."""
    kind = parameter.child_by_field_name("type")
    if kind is None or kind.type != "template_type":
        return False
    wanted, actual = reader.type_of(kind), reader.type_of_value(argument)
    return wanted.kind == actual.kind == "struct" and wanted.name != actual.name


def _overload(reader: Reader, name: str, inner: Node) -> str:
    """What tells templates of one name apart: the parameters as they are written, of all but the first; else ""."""
    first, *others = [kept for kept, _ in reader.templates[name]]
    if inner.id == first.id or all(inner.id != kept.id for kept in others):
        return ""
    written = [" ".join(reader.src(child).split()) for child in _parameters_of(inner)]
    return f"({', '.join(written)})"


def _read_function(reader: Reader, inner: Node, key: str, labels: Sequence[str]) -> None:
    if key in reader.program.functions or key in reader.open_instances:
        return
    if reader.instances >= MAX_INSTANCES:
        if reader.function is not None and "?" in reader.function.name:
            return  # called by a template that nothing asked for
        reader.program.work.leave_out(f"more than {MAX_INSTANCES} instances of templates: the rest is left out")
        reader.leave_out(inner)
        return
    reader.instances += 1
    reader.open_instances.add(key)
    function_definition(reader, inner, key=key, template_params=tuple(labels))
    reader.open_instances.discard(key)


# -- instances of classes ------------------------------------------------------------------------------------


def class_instance(reader: Reader, text: str) -> ir.CType | None:
    """The type `Fir<T, 16>` stands for, read with these arguments; None when it is no class template here."""
    if not (reader.class_templates or reader.alias_templates or reader.special_classes):
        return None
    head, given = _head_of(text)
    # An alias may stand for a class of its own name in another namespace.
    alias = _alias_named(reader, head)
    name = alias or _class_name(reader, head)
    if not name or reader.depth > MAX_DEPTH:
        return None
    settled = [settle(reader, item) for item in given if item]
    if alias:
        return _aliased(reader, alias, settled)
    declared = reader.class_templates.get(name) or reader.declared_classes[name]
    with _elsewhere(reader):
        bound = _bind_given(reader, name, declared[1], settled)
        if name in reader.declared_classes:
            bind_defaults(reader, declared[1], bound, reader.declared_classes[name][1])
        return _read_class(reader, name, declared[0], bound)


def _aliased(reader: Reader, name: str, settled: list[Argument]) -> ir.CType | None:
    """What an alias template stands for; one that stands for another is followed, however many there are."""
    made: ir.CType | None = None
    opened: list[str] = []
    while name and reader.program.work.take():
        with _elsewhere(reader):
            inner, parameters = reader.alias_templates[name]
            _bind_given(reader, name, parameters, settled)
            reader.open_instances.add(f"using {name}")
            opened.append(f"using {name}")
            kind = inner.child_by_field_name("type")
            text = reader.src(kind).strip() if kind is not None else ""
            head, given = _head_of(text)
            name = _alias_named(reader, head) if given and text[-1:] == ">" else ""
            if name:
                settled = [settle(reader, item) for item in given if item]
            elif text:
                made = reader.names.parse(text)
    reader.open_instances.difference_update(opened)
    return made


def _head_of(text: str) -> tuple[str, list[str]]:
    """`a::Fir<T, 16>` -> ("a::Fir", ["T", "16"])."""
    scope, last = split_scope(text)
    head, given = split_template(last)
    return f"{scope}::{head}" if scope else head, given


def _alias_named(reader: Reader, head: str) -> str:
    """The name of an alias template that is not being followed already; "" where there is none."""
    name = _kept_name(reader, head, reader.alias_templates)
    return "" if f"using {name}" in reader.open_instances else name


def _bind_given(reader: Reader, name: str, parameters: Node, settled: Sequence[Argument]) -> Bound:
    """Let the parameters of a template stand for what is given, and for their defaults."""
    _count_parameters(reader, parameters)
    bound = dict(zip((label_of(reader, p) for p in parameters.named_children), settled, strict=False))
    bind(reader, {**reader.around.get(name, {}), **bound})
    bind_defaults(reader, parameters, bound)
    return bound


def _class_name(reader: Reader, head: str) -> str:
    """The name a class template is kept under; of one that is declared alone, where specialisations have bodies."""
    name = _kept_name(reader, head, reader.class_templates)
    declared = "" if name else _kept_name(reader, head, reader.declared_classes)
    return declared if declared in reader.special_classes else name


def _kept_name(reader: Reader, head: str, table: Mapping[str, tuple[Node, Node]]) -> str:
    """The name a template is kept under; "" where there is none."""
    plain = head.replace("typename ", "").replace("template ", "").strip()
    scope, last = split_scope(plain)
    owner = reader.names.named_type(scope.strip()) if scope else None
    within = owner.name if owner is not None else "" if scope else reader.names.owner
    for name in (f"{within}::{last.strip()}" if within else "", plain, last.strip()):
        if name and name in table:
            return name
    return ""


def _read_class(reader: Reader, name: str, inner: Node, bound: Bound) -> ir.CType | None:
    arguments = list(bound.values())
    key = f"{name}<{', '.join(argument.name for argument in arguments)}>"
    types = reader.names.types
    if key in types or reader.instances >= MAX_INSTANCES:
        return types.get(key)
    if key in reader.open_instances or _open_classes(reader) >= MAX_OPEN_CLASSES:
        return None  # a list's node points at nodes: inside itself a class is not known yet
    inner, matched = _most_special(reader, name, arguments) or (inner, {})
    if inner.child_by_field_name("body") is None:
        return None
    bind(reader, matched)
    reader.instances += 1
    reader.open_instances.add(key)
    outer, reader.bound = reader.bound, {**reader.around.get(name, {}), **bound}
    for outside, parameters in reader.outside_values.get(name, ()):
        bind(reader, dict(zip((label_of(reader, p) for p in parameters.named_children), arguments, strict=False)))
        static_outside(reader, key, outside)
    made = record_body(reader, inner, key)
    reader.bound = outer
    for outside, parameters in reader.outside.get(name, ()):
        bind(reader, dict(zip((label_of(reader, p) for p in parameters.named_children), arguments, strict=False)))
        method(reader, key, outside, made)
    reader.open_instances.discard(key)
    types[key] = made
    reader.classes += 1
    return made


def _open_classes(reader: Reader) -> int:
    """Instances inside one another that are being read; aliases on the way to them are none."""
    among = reader.open_instances
    return len(among) if len(among) < MAX_OPEN_CLASSES else sum(not key.startswith("using ") for key in among)


def _count_parameters(reader: Reader, parameters: Node) -> None:
    """Each instance binds all parameters of its template anew, which counts where they are many."""
    reader.program.work.take(PARAMETER_STEPS * max(parameters.named_child_count - FEW_PARAMETERS, 0))


def _most_special(reader: Reader, name: str, arguments: Sequence[Argument]) -> tuple[Node, Bound] | None:
    """The specialisation that these arguments ask for, and what its parameters stand for; None where none fits.

    Of several that fit the one that all others cover. Where none is, as an alias hides what a pattern names or the
    code is no C++, the one that leaves the fewest parameters open.
    """
    specials = reader.special_classes.get(name, ())
    reader.program.work.take(len(specials))  # each is held against the arguments
    found: list[tuple[list[str], list[str], Node, Bound]] = []
    for special, parameters, patterns in specials:
        labels = [label_of(reader, parameter) for parameter in parameters.named_children]
        matched = match(reader, patterns, arguments, labels)
        if matched is not None:
            found.append((patterns, labels, special, matched))
    found.sort(key=lambda item: len(item[1]))
    best = found[0] if found else None
    for other in found[1:]:
        reader.program.work.take()
        if best is not None and covers(best[0], other[0], best[1]) and not covers(other[0], best[0], other[1]):
            best = other
    return best[2:] if best is not None else None


@contextmanager
def _elsewhere(reader: Reader) -> Iterator[None]:
    """Stand at file level; afterwards all is as before, and what instances of classes hold is known everywhere."""
    names = reader.names
    place = reader.function, reader.loop, reader.anonymous, reader.text, reader.shift, reader.here
    known, classes = (names.types, names.constants, names.scopes, names.owner), reader.classes
    names.types, names.constants = Table(names.types), Table(names.constants)
    reader.text, reader.shift = reader.unit.text, 0
    names.scopes, names.owner = [reader.program.globals], ""
    try:
        yield
    finally:
        if reader.classes > classes:
            known[0].update((key, kind) for key, kind in names.types.items() if "<" in key)
            known[1].update((key, value) for key, value in names.constants.items() if "<" in key)
        names.types, names.constants, names.scopes, names.owner = known
        reader.function, reader.loop, reader.anonymous, reader.text, reader.shift, reader.here = place
