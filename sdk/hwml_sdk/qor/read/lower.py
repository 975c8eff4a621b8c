"""From the syntax tree (tree-sitter-cpp) of a preprocessed unit to `ir`: names resolved, types known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..program import ir
from ..program.constants import Number, evaluate, literal
from ..program.sizes import byte_size, place_of, size_of
from ..program.type_of import type_of_expression
from ..program.typenames import BOOL, DOUBLE, FLOAT, INT, UNKNOWN, VOID, parse_type, split_template
from .preprocess import Unit

Node = Any  # tree_sitter.Node

MAX_DEPTH = 200
MAX_LOOP_DEPTH = 32
MAX_INSTANCES = 200
_TASK = re.compile(r"(?:hls::)?task$")
_ARRAY = re.compile(r"(?:std::)?array\s*<")
_CASTS = ("static_cast", "reinterpret_cast", "const_cast", "dynamic_cast")


class Lowering:
    """Lowers one unit into a program; several units may go into the same program."""

    def __init__(self, unit: Unit, program: ir.Program) -> None:
        self.unit = unit
        self.text = unit.text
        self.program = program
        self.types: dict[str, ir.CType] = {}
        self.type_dims: dict[str, tuple[int | None, ...]] = {}
        self.scopes: list[dict[str, ir.Variable]] = [program.globals]
        self.constants: dict[str, Number] = {}
        self.templates: dict[str, tuple[Node, Node]] = {}
        self.class_templates: dict[str, tuple[Node, Node]] = {}
        self.instances = 0
        self.owner = ""  # the struct whose body is read
        self.bases: dict[str, list[str]] = {}
        self.standing_for: dict[ir.Variable, ir.Expr] = {}  # `auto &v : a` is an element of a
        self.function: ir.Function | None = None
        self.loop: ir.Loop | None = None
        self.anonymous = 0
        self.depth = 0
        self.loops = 0
        self.regions: list[tuple[int, int, ir.Loop | ir.Function]] = []
        self.loop_starts: list[tuple[int, ir.Loop]] = []
        self.tree: object = None  # kept alive: nodes of templates are lowered later

    # -- small things -----------------------------------------------------------------------------------------

    def src(self, node: Node) -> str:
        return self.text[node.start_byte : node.end_byte]

    def span(self, node: Node) -> Any:
        return self.unit.span(node.start_byte, node.end_byte)

    def named_type(self, name: str) -> ir.CType | None:
        found: ir.CType | None = self.member(name, self.types)
        return self.class_instance(name) if found is None and "<" in name else found

    def class_instance(self, text: str) -> ir.CType | None:
        """The type `Fir<T, 16>` stands for, lowered with these arguments; None when it is no class template here."""
        head, given = split_template(text)
        inner, parameters = self.class_templates.get(head.rpartition("::")[2], (None, None))
        if inner is None or parameters is None:
            return None
        bound = self.bound_arguments(parameters, given)
        key = f"{head.rpartition('::')[2]}<{', '.join(self.settled(value) for value in bound.values())}>"
        if key in self.types or self.instances >= MAX_INSTANCES or self.depth > MAX_DEPTH:
            return self.types.get(key)
        self.instances += 1
        saved = (dict(self.types), dict(self.constants), self.function, self.loop, self.scopes, self.anonymous)
        self.bind(bound)
        self.scopes = [self.program.globals]
        made = self.struct_body(inner, key)
        self.types, self.constants, self.function, self.loop, self.scopes, self.anonymous = saved
        self.types[key] = made
        return made

    def settled(self, text: str) -> str:
        """A template argument as its value or as the name of its type."""
        value = self.text_value(text)
        if value is not None:
            return str(value)
        kind = self.types.get(text)
        return (kind.name or text) if kind is not None else text

    def bound_arguments(self, parameters: Node, given: list[str]) -> dict[str, str]:
        """Template parameters by name -> the text of their argument or default; those with neither are left out."""
        bound: dict[str, str] = {}
        for index, parameter in enumerate(parameters.named_children):
            label = self.declared_name(parameter) or self.src(parameter).split()[-1]
            default = parameter.child_by_field_name("default_type") or parameter.child_by_field_name("default_value")
            if index < len(given):
                bound[label] = given[index]
            elif default is not None:
                bound[label] = self.src(default)
        return bound

    def bind(self, bound: dict[str, str]) -> None:
        """Make template parameters stand for their arguments."""
        settled = {label: (self.text_value(text), text) for label, text in bound.items()}
        kinds = {
            label: parse_type(text, self.named_type, self.lookup_value)
            for label, (value, text) in settled.items() if value is None
        }  # fmt: skip
        for label, (value, _) in settled.items():
            if value is not None:
                self.constants[label] = value
        self.types.update(kinds)

    def constant(self, name: str) -> Number | None:
        """An enumerator, a template's value, or a static constant of a struct, its bases or what stands for it."""
        found: Number | None = self.member(name, self.constants)
        return found

    def member(self, name: str, table: Mapping[str, Any]) -> Any:
        """What `table` has for a name as it stands, or for a member of the struct it names, or of a base of that."""
        if name in table:
            return table[name]
        head, _, tail = name.rpartition("::")
        pending, seen = [head.rpartition("::")[2] or self.owner], set[str]()
        while pending:
            owner = pending.pop()
            kind = self.types.get(owner)
            for known in (owner, kind.name if kind is not None else ""):
                if known and known not in seen:
                    seen.add(known)
                    if f"{known}::{tail}" in table:
                        return table[f"{known}::{tail}"]
                    pending += [base.rpartition("::")[2] for base in self.bases.get(known, ())]
        return None

    def lookup_value(self, name: str) -> Number | None:
        known = self.constant(name)
        if known is not None:
            return known
        if name in ("true", "false"):
            return int(name == "true")
        var = self.variable(name)
        return evaluate(ir.Ref(name, var), {}) if var is not None else None

    def variable(self, name: str) -> ir.Variable | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def type_of(self, node: Node | None) -> ir.CType:
        if node is None:
            return UNKNOWN
        if node.type in ("struct_specifier", "class_specifier", "union_specifier"):
            return self.struct(node)
        if node.type == "enum_specifier":
            self.enum(node)
            return INT
        return parse_type(self.src(node), self.named_type, self.lookup_value)

    # -- top level --------------------------------------------------------------------------------------------

    def top(self, nodes: Iterable[Node]) -> None:
        """Lower everything at file or namespace level."""
        for node in nodes:
            self.top_item(node)

    def top_item(self, node: Node) -> None:
        self.depth += 1
        if self.depth <= MAX_DEPTH:
            self.top_kind(node)
        self.depth -= 1

    def top_kind(self, node: Node) -> None:
        kind = node.type
        if kind == "function_definition":
            self.function_definition(node)
        elif kind == "template_declaration":
            self.template(node)
        elif kind in ("declaration", "field_declaration"):
            self.declaration(node, None)
        elif kind == "type_definition":
            self.typedef(node)
        elif kind == "alias_declaration":
            self.alias(node)
        elif kind in ("struct_specifier", "class_specifier", "enum_specifier", "union_specifier"):
            self.type_of(node)
        elif kind in ("namespace_definition", "linkage_specification"):
            body = node.child_by_field_name("body")
            if body is not None:
                self.top(body.named_children) if body.type == "declaration_list" else self.top_item(body)
        elif kind == "ERROR":
            self.error(node)

    def error(self, node: Node) -> None:
        """Half-typed code: a function whose brace is still open stands as loose pieces in an ERROR node."""
        children = node.children
        at = 0
        while at < len(children):
            child = children[at]
            if child.type == "function_declarator" and any(c.type == "{" for c in children[at + 1 : at + 2]):
                result = self.type_of(children[at - 1]) if at and children[at - 1].type != "{" else VOID
                self.open_function(child, result, children[at + 2 :], node)
                return
            self.top_item(child)
            at += 1

    def open_function(self, declarator: Node, result: ir.CType, rest: list[Node], whole: Node) -> None:
        function = self.begin_function(declarator, result, whole)
        if function is None:
            return
        self.loose_statements(rest, function.body)
        self.regions.append((declarator.end_byte, whole.end_byte, function))
        self.end_function()

    def template(self, node: Node) -> None:
        parameters = node.child_by_field_name("parameters")
        inner = next((c for c in node.named_children if c.type == "function_definition"), None)
        if inner is not None and parameters is not None:
            name = self.declared_name(inner.child_by_field_name("declarator"))
            self.templates[name.rpartition("::")[2]] = (inner, parameters)
            return
        for child in node.named_children:
            if child.type in ("struct_specifier", "class_specifier") and parameters is not None:
                name_node = child.child_by_field_name("name")
                if parameters.named_child_count and name_node is not None and name_node.type == "type_identifier":
                    self.class_templates[self.src(name_node)] = (child, parameters)
                    continue
            if child.type in ("struct_specifier", "class_specifier", "alias_declaration"):
                self.top_item(child)

    def lower_unused_templates(self) -> None:
        """Templates nobody calls are lowered with unknown parameters, so that they are seen at all."""
        called = {name.partition("<")[0] for name in self.program.functions}
        for name, (inner, parameters) in list(self.templates.items()):
            if name not in called:
                self.instantiate(name, inner, parameters, [], [])

    def instantiate(self, name: str, inner: Node, parameters: Node, given: list[str], arguments: list[ir.Expr]) -> str:
        """Lower a template with the given arguments; returns the name of the function made of it."""
        names = [self.declared_name(p) or self.src(p).split()[-1] for p in parameters.named_children]
        bound = self.bound_arguments(parameters, given)
        self.deduce(inner, names, bound, arguments)
        key = f"{name}<{', '.join(bound.get(n, '?') for n in names)}>" if names else name
        if key in self.program.functions or self.instances >= MAX_INSTANCES:
            return key
        self.instances += 1
        saved = (dict(self.types), dict(self.constants), self.function, self.loop, self.scopes, self.anonymous)
        self.bind(bound)
        self.scopes = [self.program.globals]
        self.function_definition(inner, key=key, template_params=tuple(names))
        self.types, self.constants, self.function, self.loop, self.scopes, self.anonymous = saved
        return key

    def text_value(self, text: str) -> Number | None:
        from ..program.constants import evaluate_text

        return evaluate_text(text, self.lookup_value)

    def deduce(self, inner: Node, names: list[str], bound: dict[str, str], arguments: list[ir.Expr]) -> None:
        """`template <typename T> f(T a)` and `template <int N> f(int a[N])`: bind what the arguments tell."""
        declarator = self.function_declarator(inner.child_by_field_name("declarator"))
        parameters = declarator.child_by_field_name("parameters") if declarator is not None else None
        if parameters is None:
            return
        listed = [p for p in parameters.named_children if p.type.endswith("parameter_declaration")]
        for parameter, argument in zip(listed, arguments, strict=False):
            kind = parameter.child_by_field_name("type")
            text = self.src(kind) if kind is not None else ""
            actual = self.expression_type(argument)
            if text in names and text not in bound and actual.name:
                bound[text] = actual.name
            extents = self.extent_texts(parameter.child_by_field_name("declarator"))
            if isinstance(argument, ir.Ref) and argument.var is not None:
                for extent, size in zip(extents, argument.var.dims, strict=False):
                    if extent in names and extent not in bound and size is not None:
                        bound[extent] = str(size)

    def extent_texts(self, node: Node | None) -> list[str]:
        if node is None:
            return []
        if node.type == "array_declarator":
            size = node.child_by_field_name("size")
            inner = self.extent_texts(node.child_by_field_name("declarator"))
            return [*inner, self.src(size) if size is not None else ""]
        for child in node.named_children:
            found = self.extent_texts(child)
            if found:
                return found
        return []

    # -- types ------------------------------------------------------------------------------------------------

    def typedef(self, node: Node) -> None:
        base = self.type_of(node.child_by_field_name("type"))
        for declarator in node.children_by_field_name("declarator"):
            name, dims, _ = self.declarator(declarator)
            if name:
                self.types[name] = base
                if dims:
                    self.type_dims[name] = dims

    def alias(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        kind = node.child_by_field_name("type")
        if name is not None and kind is not None:
            self.types[self.src(name)] = parse_type(self.src(kind), self.named_type, self.lookup_value)

    def struct(self, node: Node) -> ir.CType:
        self.depth += 1
        found = self.struct_body(node) if self.depth <= MAX_DEPTH else UNKNOWN
        self.depth -= 1
        return found

    def struct_body(self, node: Node, name: str = "") -> ir.CType:
        name_node = node.child_by_field_name("name")
        name = name or (self.src(name_node) if name_node is not None else "")
        body = node.child_by_field_name("body")
        if body is None:
            return self.types.get(name) or ir.CType("unknown", 32, name=name)
        fields: list[tuple[str, ir.CType, tuple[int | None, ...]]] = []
        methods = []
        outer, self.owner = self.owner, name
        self.bases[name] = [
            self.src(base) for clause in node.children if clause.type == "base_class_clause"
            for base in clause.named_children if base.type != "access_specifier"
        ]  # fmt: skip
        for child in body.named_children:
            if child.type == "field_declaration":
                fields += self.fields(child)
            elif child.type == "function_definition":
                methods.append(child)
            elif child.type in ("type_definition", "alias_declaration"):
                self.nested_type(child, name)
        width = sum(kind.width for _, kind, _ in fields)
        made = ir.CType("struct", min(width, 1 << 30), fields=tuple(fields), name=name)
        if name:
            self.types[name] = made
        for method in methods:
            self.method(name, method, made)
        self.owner = outer
        return made

    def nested_type(self, node: Node, owner: str) -> None:
        """`typedef` and `using` inside a struct: known by their qualified name only."""
        outside = dict(self.types)
        self.top_kind(node)
        made = {name: kind for name, kind in self.types.items() if outside.get(name) is not kind}
        self.types = {**outside, **{f"{owner}::{name}": kind for name, kind in made.items()}}

    def fields(self, node: Node) -> list[tuple[str, ir.CType, tuple[int | None, ...]]]:
        """Fields of one declaration; static constants are kept by their qualified name instead."""
        base, base_dims = self.unpacked(self.type_of(node.child_by_field_name("type")))
        static = any(self.src(c) == "static" for c in node.children if c.type == "storage_class_specifier")
        given = node.child_by_field_name("default_value")
        found = []
        for declarator in node.children_by_field_name("declarator"):
            label, dims, _ = self.declarator(declarator)
            if static and label and given is not None:
                text = self.src(given).strip("{} ")
                value = self.text_value(text)
                if value is not None and self.owner:
                    self.constants[f"{self.owner}::{label}"] = value
            elif label and not static and declarator.type != "function_declarator":
                found.append((label, base, (*dims, *base_dims)))
        return found

    def unpacked(self, kind: ir.CType) -> tuple[ir.CType, tuple[int | None, ...]]:
        """A `std::array` as what it is, elements and extents; any other type as it stands."""
        dims: list[int | None] = []
        while kind.kind == "vector" and kind.element is not None and _ARRAY.match(kind.name):
            given = split_template(kind.name)[1]
            extent = self.text_value(given[1]) if len(given) > 1 else None
            dims.append(int(extent) if extent is not None and extent >= 0 else None)
            kind = kind.element
        return kind, tuple(dims)

    def method(self, owner: str, node: Node, kind: ir.CType) -> None:
        label = self.declared_name(node.child_by_field_name("declarator"))
        if label and label != owner and not label.startswith(("operator", "~")):
            own = self.program.fields.setdefault(owner, {})
            for field, type_, dims in kind.fields:
                if field not in own:
                    own[field] = ir.Variable(field, type_, dims, "local", self.span(node), "")
            self.scopes.append(dict(own))
            self.function_definition(node, key=f"{owner}::{label}")
            self.scopes.pop()

    def enum(self, node: Node) -> None:
        name_node = node.child_by_field_name("name")
        if name_node is not None:
            self.types[self.src(name_node)] = INT
        value: Number = -1
        body = node.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            if child.type == "enumerator":
                given = child.child_by_field_name("value")
                found = self.text_value(self.src(given)) if given is not None else None
                value = found if found is not None else value + 1
                label = child.child_by_field_name("name")
                if label is not None:
                    self.constants[self.src(label)] = value

    # -- declarations -----------------------------------------------------------------------------------------

    def declarator(self, node: Node | None) -> tuple[str, tuple[int | None, ...], int]:
        """(name, extents, pointer depth) of a declarator."""
        pointer = 0
        dims: list[int | None] = []
        while node is not None:
            kind = node.type
            if kind in ("identifier", "field_identifier", "type_identifier", "qualified_identifier"):
                return self.src(node), tuple(dims), pointer
            if kind == "array_declarator":
                size = node.child_by_field_name("size")
                value = self.text_value(self.src(size)) if size is not None else None
                if value is None and size is not None:
                    value = evaluate(self.expression(size), {})  # constexpr functions, sizeof, elements of constants
                dims.insert(0, int(value) if value is not None and value >= 0 else None)
            elif kind in ("pointer_declarator", "reference_declarator"):
                pointer += 1
            following = node.child_by_field_name("declarator")
            if following is None:
                following = next(
                    (c for c in node.named_children if "declarator" in c.type or "identifier" in c.type), None
                )
            node = following
        return "", tuple(dims), pointer

    def declared_name(self, node: Node | None) -> str:
        return self.declarator(node)[0]

    def declaration(self, node: Node, into: ir.Block | None) -> None:
        kind_node = node.child_by_field_name("type")
        base = self.type_of(kind_node)
        words = {self.src(c) for c in node.children if c.type in ("type_qualifier", "storage_class_specifier")}
        base, extents = self.unpacked(base)
        base_dims = (*self.type_dims.get(self.src(kind_node), ()), *extents) if kind_node is not None else ()
        for declarator in node.children_by_field_name("declarator"):
            if into is not None and declarator.type == "function_declarator":
                self.task(kind_node, declarator, into)
            self.declare(declarator, base, base_dims, words, into)

    def task(self, kind: Node | None, node: Node, into: ir.Block) -> None:
        """`hls::task t(f, a, b);`, which the parser takes for the declaration of a function: it calls f(a, b)."""
        listed = node.child_by_field_name("parameters")
        if kind is None or listed is None or not _TASK.match(self.src(kind)):
            return
        first, *rest = [self.src(child) for child in listed.named_children] or [""]
        args = tuple(ir.Ref(text, self.variable(text)) for text in rest)
        into.items.append(ir.Evaluate(ir.Call(first, args, span=self.span(node))))

    def closure(self, name: str, node: Node) -> None:
        """`auto f = [&](int a) { ... };`: a function of its own that sees the variables around it."""
        body = node.child_by_field_name("body")
        outer = self.function
        if outer is None or body is None:
            return
        key = f"{outer.name}::{name}"
        function = ir.Function(key, [], UNKNOWN, ir.Block(), self.span(node), self.span(node), self.unit.path(
            node.start_byte), static=True)  # fmt: skip
        saved = self.loop, self.anonymous
        self.function, self.loop = function, None
        self.scopes.append({})
        declarator = node.child_by_field_name("declarator")
        parameters = declarator.child_by_field_name("parameters") if declarator is not None else None
        for child in parameters.named_children if parameters is not None else ():
            if child.type in ("parameter_declaration", "optional_parameter_declaration"):
                self.parameter(child, function)
        self.scopes.append({})
        self.statements(body.named_children, function.body)
        self.scopes = self.scopes[:-2]
        self.regions.append((body.start_byte, body.end_byte, function))
        self.program.functions[key] = function
        self.function, (self.loop, self.anonymous) = outer, saved
        kind = ir.CType("function", 0, name=key)
        self.scopes[-1][name] = ir.Variable(name, kind, (), "local", self.span(node), self.unit.path(node.start_byte))

    def declare(
        self, node: Node, base: ir.CType, base_dims: tuple[int | None, ...], words: set[str], into: ir.Block | None
    ) -> None:
        value = node.child_by_field_name("value") if node.type == "init_declarator" else None
        inner = node.child_by_field_name("declarator") if node.type == "init_declarator" else node
        if inner is not None and inner.type == "function_declarator":
            return
        name, dims, pointer = self.declarator(inner)
        if not name:
            return
        if value is not None and value.type == "lambda_expression":
            self.closure(name, value)
            return
        init = self.initial(value)
        kind = base
        if base is UNKNOWN and init is not None:
            kind = self.expression_type(init)
        if pointer:
            kind = _with_pointer(kind, pointer)
            if isinstance(init, ir.Ref) and init.var is not None:
                init.var.handed = True
        var = ir.Variable(
            name, kind, (*dims, *base_dims), "global" if into is None else "local", self.span(inner),
            self.unit.path(inner.start_byte), const=bool(words & {"const", "constexpr"}), static="static" in words,
            init=init, function=self.function.name if self.function else "",
        )  # fmt: skip
        if dims and dims[0] is None and isinstance(init, ir.Many):
            var.dims = (len(init.items), *var.dims[1:])
        self.scopes[-1][name] = var
        if into is not None:
            if self.function is not None:
                self.function.variables.setdefault(name, var)
            into.items.append(ir.Declare(var))

    def initial(self, value: Node | None) -> ir.Expr | None:
        if value is None:
            return None
        if value.type == "argument_list":
            items = value.named_children
            return self.expression(items[0]) if len(items) == 1 else None
        if value.type == "initializer_list" and value.named_child_count > 4096:
            # Weight tables: their length matters, their values do not.
            return ir.Many(tuple(ir.Const(None, UNKNOWN) for _ in range(value.named_child_count)))
        return self.expression(value)

    # -- functions --------------------------------------------------------------------------------------------

    def function_declarator(self, node: Node | None) -> Node | None:
        while node is not None and node.type != "function_declarator":
            node = node.child_by_field_name("declarator") or next(
                (c for c in node.named_children if "declarator" in c.type), None
            )
        return node

    def function_definition(self, node: Node, key: str = "", template_params: tuple[str, ...] = ()) -> None:
        declarator = self.function_declarator(node.child_by_field_name("declarator"))
        body = node.child_by_field_name("body")
        if declarator is None or body is None:
            return
        result = self.type_of(node.child_by_field_name("type"))
        function = self.begin_function(declarator, result, node, key)
        if function is None:
            return
        function.template_params = template_params
        words = {self.src(c) for c in node.children if c.type in ("storage_class_specifier", "type_qualifier")}
        function.static, function.constexpr = "static" in words, bool(words & {"constexpr", "consteval"})
        self.statements(body.named_children, function.body)
        self.regions.append((body.start_byte, body.end_byte, function))
        self.end_function()

    def begin_function(self, declarator: Node, result: ir.CType, whole: Node, key: str = "") -> ir.Function | None:
        name_node = declarator.child_by_field_name("declarator")
        if name_node is None:
            return None
        name = key or self.src(name_node)
        function = ir.Function(
            name, [], result, ir.Block(), self.span(whole), self.span(name_node), self.unit.path(whole.start_byte)
        )
        self.function, self.loop, self.anonymous = function, None, 0
        self.scopes.append({})
        parameters = declarator.child_by_field_name("parameters")
        for child in parameters.named_children if parameters is not None else ():
            if child.type in ("parameter_declaration", "optional_parameter_declaration"):
                self.parameter(child, function)
        self.scopes.append({})
        return function

    def end_function(self) -> None:
        function = self.function
        assert function is not None
        self.program.functions[function.name] = function
        self.scopes = self.scopes[:-2]
        self.function = None
        self.loop = None

    def parameter(self, node: Node, function: ir.Function) -> None:
        kind_node = node.child_by_field_name("type")
        declarator = node.child_by_field_name("declarator")
        name, dims, pointer = self.declarator(declarator)
        base_dims = self.type_dims.get(self.src(kind_node), ()) if kind_node is not None else ()
        if not name:
            return
        kind, extents = self.unpacked(self.type_of(kind_node))
        if pointer:
            kind = _with_pointer(kind, pointer)
        var = ir.Variable(
            name, kind, (*dims, *base_dims, *extents), "param", self.span(declarator), self.unit.path(node.start_byte),
            const="const" in self.src(node).split(), function=function.name,
        )  # fmt: skip
        var.const = False  # a const parameter is no compile-time constant
        function.params.append(var)
        function.variables[name] = var
        self.scopes[-1][name] = var

    # -- statements -------------------------------------------------------------------------------------------

    def statements(self, nodes: Iterable[Node], block: ir.Block) -> None:
        for node in nodes:
            self.statement(node, block, "")

    def loose_statements(self, nodes: list[Node], block: ir.Block) -> None:
        """Statements of code that is still being typed; an open loop head takes what follows as its body."""
        for index, node in enumerate(nodes):
            if node.type == "for" and index + 1 < len(nodes):
                rest = nodes[index + 1 :]
                close = next((i for i, n in enumerate(rest) if n.type == "{"), None)
                if close is not None:
                    inner = ir.Block()
                    self.open_loop(node, rest[:close], rest[close], rest[close + 1 :], inner)
                    block.items.extend(inner.items)
                    return
            if node.is_named:
                self.statement(node, block, "")

    def open_loop(self, start: Node, head: list[Node], brace: Node, rest: list[Node], block: ir.Block) -> None:
        loop = self.new_loop("for", "", start, head[-1] if head else start)
        self.scopes.append({})
        parts = [n for n in head if n.is_named]
        for part in parts[:1]:
            self.statement(part, ir.Block(), "")
        self.counting(loop, parts[0] if parts else None, *([*parts[1:3], None, None])[:2])
        self.enter(loop, brace.start_byte, (rest[-1] if rest else brace).end_byte)
        self.loose_statements(rest, loop.body)
        self.leave(loop)
        block.items.append(loop)

    def statement(self, node: Node, block: ir.Block, label: str) -> None:
        self.depth += 1
        if self.depth <= MAX_DEPTH:
            handler = _STATEMENTS.get(node.type)
            if handler is not None:
                handler(self, node, block, label)
            elif node.type.endswith("_expression") or node.type == "identifier":
                block.items.append(ir.Evaluate(self.expression(node)))
        self.depth -= 1

    def compound(self, node: Node, block: ir.Block, label: str) -> None:
        inner = ir.Block()
        self.scopes.append({})
        self.statements(node.named_children, inner)
        self.scopes.pop()
        block.items.append(inner)

    def local_declaration(self, node: Node, block: ir.Block, label: str) -> None:
        self.declaration(node, block)

    def expression_statement(self, node: Node, block: ir.Block, label: str) -> None:
        for child in node.named_children:
            block.items.append(ir.Evaluate(self.expression(child)))

    def labeled(self, node: Node, block: ir.Block, label: str) -> None:
        name = self.src(node.named_children[0]) if node.named_children else ""
        for child in node.named_children[1:]:
            self.statement(child, block, name)

    def if_statement(self, node: Node, block: ir.Block, label: str) -> None:
        condition = node.child_by_field_name("condition")
        item = ir.If(self.expression(condition) if condition is not None else ir.Const(None, BOOL), ir.Block())
        self.scopes.append({})
        then = node.child_by_field_name("consequence")
        if then is not None:
            self.statement(then, item.then, "")
        other = node.child_by_field_name("alternative")
        if other is not None:
            item.otherwise = ir.Block()
            children = other.named_children if other.type == "else_clause" else [other]
            self.statements(children, item.otherwise)
        self.scopes.pop()
        block.items.append(item)

    def switch(self, node: Node, block: ir.Block, label: str) -> None:
        condition = node.child_by_field_name("condition")
        subject = self.expression(condition) if condition is not None else ir.Const(None, INT)
        body = node.child_by_field_name("body")
        current: ir.Block = block
        for child in body.named_children if body is not None else ():
            if child.type != "case_statement":
                continue
            value = child.child_by_field_name("value")
            arm = ir.Block()
            self.scopes.append({})
            self.statements([c for c in child.named_children if value is None or c.id != value.id], arm)
            self.scopes.pop()
            if value is None:
                current.items.append(arm)
                continue
            item = ir.If(ir.Binary("==", subject, self.expression(value)), arm, ir.Block())
            current.items.append(item)
            assert item.otherwise is not None
            current = item.otherwise

    def return_statement(self, node: Node, block: ir.Block, label: str) -> None:
        value = self.expression(node.named_children[0]) if node.named_children else None
        block.items.append(ir.Return(value))
        self.mark_break(all_loops=True)

    def jump(self, node: Node, block: ir.Block, label: str) -> None:
        if node.type == "continue_statement":
            if self.loop is not None:
                self.loop.has_continue = True
        elif node.type in ("break_statement", "goto_statement"):
            parent = node.parent
            while parent is not None and parent.type not in ("for_statement", "while_statement", "do_statement"):
                if parent.type in {"switch_statement", "case_statement"}:
                    return
                parent = parent.parent
            self.mark_break(all_loops=node.type == "goto_statement")

    def mark_break(self, *, all_loops: bool) -> None:
        loop = self.loop
        while loop is not None:
            loop.has_break = True
            loop = loop.parent if all_loops else None

    def error_statement(self, node: Node, block: ir.Block, label: str) -> None:
        self.loose_statements(node.children, block)

    # -- loops ------------------------------------------------------------------------------------------------

    def new_loop(self, kind: str, label: str, start: Node, head_end: Node) -> ir.Loop:
        assert self.function is not None
        head = self.unit.span(start.start_byte, head_end.end_byte)
        if not label:
            self.anonymous += 1
            name = f"VITIS_LOOP_{head.start_line + 1}_{self.anonymous}"
        else:
            name = label
        loop = ir.Loop(
            kind, label, name, head, head, self.unit.path(start.start_byte), ir.Block(),
            function=self.function.name, parent=self.loop,
        )  # fmt: skip
        self.loop_starts.append((start.start_byte, loop))
        return loop

    def enter(self, loop: ir.Loop, start: int, end: int) -> None:
        self.regions.append((start, end, loop))
        self.loop = loop

    def leave(self, loop: ir.Loop) -> None:
        self.scopes.pop()
        self.loop = loop.parent

    def loop_body(self, loop: ir.Loop, node: Node, body: Node | None, head_end: int) -> None:
        self.enter(loop, head_end, node.end_byte)
        self.loops += 1
        if self.loops > MAX_LOOP_DEPTH:
            message = f"more than {MAX_LOOP_DEPTH} loops inside one another: what is further inside is left out"
            self.program.problems.append(ir.Problem(message, loop.path, loop.head))
        elif body is not None:
            if body.type == "compound_statement":
                self.statements(body.named_children, loop.body)
            else:
                self.statement(body, loop.body, "")
        self.loops -= 1
        loop.span = self.span(node)
        self.leave(loop)

    def for_statement(self, node: Node, block: ir.Block, label: str) -> None:
        body = node.child_by_field_name("body")
        close = next((c for c in node.children if c.type == ")"), node)
        loop = self.new_loop("for", label, node, close)
        self.scopes.append({})
        initializer = node.child_by_field_name("initializer")
        first: Node | None = None
        if initializer is not None:
            first = initializer
            if initializer.type == "declaration":
                self.declaration(initializer, ir.Block())
        self.counting(loop, first, node.child_by_field_name("condition"), node.child_by_field_name("update"))
        self.loop_body(loop, node, body, close.end_byte)
        block.items.append(loop)

    def counting(self, loop: ir.Loop, init: Node | None, condition: Node | None, update: Node | None) -> None:
        """Fill in variable, start, condition and step of a counting loop."""
        loop.condition = self.expression(condition) if condition is not None else None
        loop.step = self.expression(update) if update is not None else None
        stepped = _stepped(loop.step)
        starts = self.starts(init)
        if stepped is None and starts:
            stepped = next(iter(starts))
        loop.var = stepped
        loop.start = starts.get(stepped) if stepped is not None else None

    def starts(self, init: Node | None) -> dict[ir.Variable, ir.Expr]:
        if init is None:
            return {}
        found: dict[ir.Variable, ir.Expr] = {}
        if init.type == "declaration":
            for var in self.scopes[-1].values():
                if var.init is not None:
                    found[var] = var.init
            return found
        expr = self.expression(init)
        for item in expr.items if isinstance(expr, ir.Many) else (expr,):
            if isinstance(item, ir.Assign) and isinstance(item.target, ir.Ref) and item.target.var is not None:
                found[item.target.var] = item.value
        return found

    def range_loop(self, node: Node, block: ir.Block, label: str) -> None:
        """`for (auto &v : a)`: a hidden counter, and `v` the element it points at."""
        close = next((c for c in node.children if c.type == ")"), node)
        loop = self.new_loop("range", label, node, close)
        self.scopes.append({})
        right = node.child_by_field_name("right")
        over = loop.condition = self.expression(right) if right is not None else None
        declarator = node.child_by_field_name("declarator")
        name = self.declared_name(declarator)
        if name and declarator is not None:
            kind = self.type_of(node.child_by_field_name("type"))
            var = ir.Variable(name, kind, (), "local", loop.head, loop.path)
            dims = _extents(over) if over is not None else ()
            if over is not None and dims:
                loop.var = ir.Variable("", INT, (), "local", loop.head, loop.path)
                loop.start, loop.step = ir.Const(0, INT), ir.Unary("p++", ir.Ref("", loop.var))
                element = _element(over, ir.Ref("", loop.var))
                var.type, var.dims = (self.expression_type(over) if kind is UNKNOWN else kind), dims[1:]
                if declarator.type == "reference_declarator" or var.dims:
                    self.standing_for[var] = element
                else:
                    var.init = element
                    loop.body.items.append(ir.Declare(var))
            self.scopes[-1][name] = var
        self.loop_body(loop, node, node.child_by_field_name("body"), close.end_byte)
        block.items.append(loop)

    def while_statement(self, node: Node, block: ir.Block, label: str) -> None:
        condition = node.child_by_field_name("condition")
        loop = self.new_loop("while" if node.type == "while_statement" else "do", label, node, condition or node)
        self.scopes.append({})
        loop.condition = self.expression(condition) if condition is not None else None
        body = node.child_by_field_name("body")
        start = condition.end_byte if condition is not None and loop.kind == "while" else node.start_byte
        self.loop_body(loop, node, body, start)
        block.items.append(loop)

    # -- expressions ------------------------------------------------------------------------------------------

    def expression(self, node: Node) -> ir.Expr:
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                return ir.Const(None, UNKNOWN)
            handler = _EXPRESSIONS.get(node.type)
            return handler(self, node) if handler is not None else ir.Const(None, UNKNOWN)
        finally:
            self.depth -= 1

    def number(self, node: Node) -> ir.Expr:
        text = self.src(node)
        value = literal(text)
        if isinstance(value, float):
            return ir.Const(value, FLOAT if text[-1] in "fF" else DOUBLE)
        return ir.Const(value, INT)

    def boolean(self, node: Node) -> ir.Expr:
        return ir.Const(int(node.type == "true"), BOOL)

    def identifier(self, node: Node) -> ir.Expr:
        name = self.src(node)
        var = self.variable(name)
        if var is None:
            known = self.constant(name)
            if known is not None:
                return ir.Const(known, INT)
            short = name.rpartition("::")[2]
            if short in self.constants:
                return ir.Const(self.constants[short], INT)
            var = self.variable(short)
        if var in self.standing_for:
            return self.standing_for[var]
        return ir.Ref(name, var)

    def first_child(self, node: Node) -> ir.Expr:
        inner = node.child_by_field_name("value") or (node.named_children[0] if node.named_child_count else None)
        return self.expression(inner) if inner is not None else ir.Const(None, UNKNOWN)

    def two(self, node: Node) -> tuple[ir.Expr, ir.Expr]:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        unknown = ir.Const(None, UNKNOWN)
        return (
            self.expression(left) if left is not None else unknown,
            self.expression(right) if right is not None else unknown,
        )

    def binary(self, node: Node) -> ir.Expr:
        left, right = self.two(node)
        return ir.Binary(node.children[1].type, left, right)

    def assignment(self, node: Node) -> ir.Expr:
        left, right = self.two(node)
        return ir.Assign(node.children[1].type, left, right)

    def comma(self, node: Node) -> ir.Expr:
        items: list[ir.Expr] = []
        for side in self.two(node):
            items.extend(side.items if isinstance(side, ir.Many) else (side,))
        return ir.Many(tuple(items))

    def update(self, node: Node) -> ir.Expr:
        operator = node.child_by_field_name("operator")
        argument = node.child_by_field_name("argument")
        op = operator.type if operator is not None else "++"
        postfix = operator is not None and argument is not None and argument.start_byte < operator.start_byte
        operand = self.expression(argument) if argument is not None else ir.Const(None, UNKNOWN)
        return ir.Unary(f"p{op}" if postfix else op, operand)

    def unary(self, node: Node) -> ir.Expr:
        argument = node.child_by_field_name("argument")
        operand = self.expression(argument) if argument is not None else ir.Const(None, UNKNOWN)
        op = node.children[0].type
        if op == "-" and isinstance(operand, ir.Const) and operand.value is not None:
            return ir.Const(-operand.value, operand.type)
        return ir.Unary(op, operand)

    def subscript(self, node: Node) -> ir.Expr:
        subscripts: list[ir.Expr] = []
        current: Node | None = node
        while current is not None and current.type == "subscript_expression":
            listed = current.child_by_field_name("indices") or current.child_by_field_name("index")
            children = listed.named_children if listed is not None else []
            subscripts.insert(0, self.expression(children[0]) if children else ir.Const(None, INT))
            current = current.child_by_field_name("argument")
        base = self.expression(current) if current is not None else ir.Const(None, UNKNOWN)
        return _element(base, *subscripts)

    def field(self, node: Node) -> ir.Expr:
        argument = node.child_by_field_name("argument")
        name = node.child_by_field_name("field")
        base = self.expression(argument) if argument is not None else ir.Const(None, UNKNOWN)
        return ir.Member(base, self.src(name) if name is not None else "")

    def conditional(self, node: Node) -> ir.Expr:
        parts = [node.child_by_field_name(n) for n in ("condition", "consequence", "alternative")]
        made = [self.expression(p) if p is not None else ir.Const(None, UNKNOWN) for p in parts]
        return ir.Ternary(made[0], made[1], made[2])

    def cast(self, node: Node) -> ir.Expr:
        value = node.child_by_field_name("value")
        kind = self.type_of(node.child_by_field_name("type"))
        return ir.Cast(kind, self.expression(value) if value is not None else ir.Const(None, UNKNOWN))

    def sizeof(self, node: Node) -> ir.Expr:
        """Bytes; of what is not known nothing. The parser takes `sizeof(a[0])` and `sizeof(a)` for types."""
        inner = node.child_by_field_name("type") or node.child_by_field_name("value")
        if inner is None:
            return ir.Const(None, INT)
        text = self.src(inner)
        while text[:1] == "(" and text[-1:] == ")":
            text = text[1:-1].strip()
        name, brackets, _ = text.partition("[")
        var = self.variable(name.strip())
        if var is not None and (not brackets or inner.type == "type_descriptor"):
            subscripts = tuple(ir.Const(0, INT) for _ in range(text.count("[")))
            place: ir.Expr = ir.Ref(name, var)
            return ir.Const(size_of(ir.Index(place, subscripts) if subscripts else place), INT)
        if inner.type != "type_descriptor" and not self.is_type(text):
            return ir.Const(size_of(self.expression(inner)), INT)
        if "*" in text:
            return ir.Const(8, INT)
        dims = self.type_dims.get(text, ())
        return ir.Const(byte_size(parse_type(text, self.named_type, self.lookup_value), dims), INT)

    def many(self, node: Node) -> ir.Expr:
        return ir.Many(tuple(self.expression(child) for child in node.named_children))

    def call(self, node: Node) -> ir.Expr:
        target = node.child_by_field_name("function")
        listed = node.child_by_field_name("arguments")
        args = [self.expression(child) for child in listed.named_children] if listed is not None else []
        if target is None:
            return ir.Call("?", tuple(args))
        if target.type == "field_expression":
            return self.method_call(target, args, node)
        text = self.src(target)
        held = self.variable(text)
        if held is not None and held.type.kind == "function":
            return ir.Call(held.type.name, tuple(args), span=self.span(target))
        scope = target.child_by_field_name("scope") if target.type == "qualified_identifier" else None
        if scope is not None and scope.type == "template_type":
            owner = self.named_type(self.src(scope))
            member = target.child_by_field_name("name")
            if owner is not None and member is not None:
                return ir.Call(f"{owner.name}::{self.src(member)}", tuple(args), span=self.span(target))
        name, given = split_template(text)
        if name in _CASTS and args and given:
            return ir.Cast(parse_type(given[0], self.named_type, self.lookup_value), args[0])
        short = name.rpartition("::")[2]
        if short in self.templates and not (short in self.program.functions and not given):
            inner, parameters = self.templates[short]
            key = self.instantiate(short, inner, parameters, given, args)
            return ir.Call(
                key, tuple(args), template_args=tuple(given), span=self.span(target),
                function=self.constant_function(key),
            )  # fmt: skip
        if len(args) == 1 and (target.type == "primitive_type" or self.is_type(text)):
            return ir.Cast(parse_type(text, self.named_type, self.lookup_value), args[0])
        # `vec3(x, y, z)` makes a value, `bits(7, 0)` takes a range: no function is called.
        value = self.is_type(text) or (held is not None and _has_bits(held.type))
        place = None if value else self.span(target)
        function = self.constant_function(name)
        return ir.Call(name, tuple(args), template_args=tuple(given), span=place, function=function)

    def constant_function(self, name: str) -> ir.Function | None:
        """A `constexpr` function of that name, which may be the one whose body this is."""
        function = self.program.functions.get(name) or self.program.functions.get(name.rpartition("::")[2])
        if function is None and self.function is not None and self.function.name == name:
            function = self.function
        return function if function is not None and function.constexpr else None

    def allocation(self, node: Node) -> ir.Expr:
        """`new T[n]` and `delete p`, kept as calls of that name: synthesis refuses both."""
        word = node.children[0]
        name = "new" if node.type == "new_expression" else "delete"
        return ir.Call(name, (), span=self.span(word))

    def is_type(self, text: str) -> bool:
        if text in self.types:
            return True
        return parse_type(text, self.named_type, self.lookup_value).kind not in ("unknown", "void")

    def method_call(self, target: Node, args: list[ir.Expr], node: Node) -> ir.Expr:
        argument = target.child_by_field_name("argument")
        name = target.child_by_field_name("field")
        label = split_template(self.src(name))[0] if name is not None else "?"
        receiver = self.expression(argument) if argument is not None else None
        if receiver is not None and label in ("size", "at"):
            dims = _extents(receiver)
            if label == "size" and not args and dims:
                return ir.Const(dims[0], INT)
            if label == "at" and len(args) == 1 and dims:
                return _element(receiver, args[0])
        if receiver is not None:
            owner = self.expression_type(receiver)
            if owner.kind == "struct" and f"{owner.name}::{label}" in self.program.functions:
                label = f"{owner.name}::{label}"
        return ir.Call(label, tuple(args), receiver=receiver)

    def expression_type(self, expr: ir.Expr) -> ir.CType:
        return type_of_expression(expr, self.program)


def _has_bits(kind: ir.CType) -> bool:
    return kind.kind in ("fixed", "ufixed", "struct", "vector") or kind.name.startswith(("ap_", "ac_"))


def _element(base: ir.Expr, *subscripts: ir.Expr) -> ir.Index:
    if isinstance(base, ir.Index):  # (*a)[i] and the like
        return ir.Index(base.base, (*base.subscripts, *subscripts))
    return ir.Index(base, subscripts)


def _extents(expr: ir.Expr) -> tuple[int | None, ...]:
    """Extents of an array, also of an array parameter."""
    if isinstance(expr, ir.Ref):
        return expr.var.dims if expr.var is not None else ()
    place = place_of(expr)
    return place[1] if place is not None else ()


def _stepped(step: ir.Expr | None) -> ir.Variable | None:
    items = step.items if isinstance(step, ir.Many) else (step,)
    for item in items:
        target = item.target if isinstance(item, ir.Assign) else item.operand if isinstance(item, ir.Unary) else None
        if isinstance(target, ir.Ref) and target.var is not None:
            return target.var
    return None


def _with_pointer(kind: ir.CType, depth: int) -> ir.CType:
    return ir.CType(kind.kind, kind.width, kind.int_bits, kind.element, kind.lanes, kind.fields, depth, kind.name)


_STATEMENTS = {
    "compound_statement": Lowering.compound,
    "declaration": Lowering.local_declaration,
    "expression_statement": Lowering.expression_statement,
    "labeled_statement": Lowering.labeled,
    "if_statement": Lowering.if_statement,
    "switch_statement": Lowering.switch,
    "return_statement": Lowering.return_statement,
    "break_statement": Lowering.jump,
    "goto_statement": Lowering.jump,
    "continue_statement": Lowering.jump,
    "for_statement": Lowering.for_statement,
    "for_range_loop": Lowering.range_loop,
    "while_statement": Lowering.while_statement,
    "do_statement": Lowering.while_statement,
    "type_definition": lambda self, node, block, label: self.typedef(node),
    "alias_declaration": lambda self, node, block, label: self.alias(node),
    "struct_specifier": lambda self, node, block, label: self.type_of(node),
    "enum_specifier": lambda self, node, block, label: self.type_of(node),
    "ERROR": Lowering.error_statement,
}
_EXPRESSIONS = {
    "number_literal": Lowering.number,
    "char_literal": Lowering.number,
    "true": Lowering.boolean,
    "false": Lowering.boolean,
    "identifier": Lowering.identifier,
    "qualified_identifier": Lowering.identifier,
    "parenthesized_expression": Lowering.first_child,
    "condition_clause": Lowering.first_child,
    "binary_expression": Lowering.binary,
    "assignment_expression": Lowering.assignment,
    "comma_expression": Lowering.comma,
    "update_expression": Lowering.update,
    "unary_expression": Lowering.unary,
    "pointer_expression": Lowering.unary,
    "subscript_expression": Lowering.subscript,
    "field_expression": Lowering.field,
    "conditional_expression": Lowering.conditional,
    "cast_expression": Lowering.cast,
    "sizeof_expression": Lowering.sizeof,
    "initializer_list": Lowering.many,
    "call_expression": Lowering.call,
    "new_expression": Lowering.allocation,
    "delete_expression": Lowering.allocation,
    "expression_statement": Lowering.first_child,
}
