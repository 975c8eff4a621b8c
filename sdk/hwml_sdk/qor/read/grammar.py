"""Which rule reads which kind of node of tree-sitter-cpp. A new kind is a rule in its module and a line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..program import ir
from . import (
    calls,
    declarations,
    expressions,
    functions,
    half_typed,
    initialisers,
    loops,
    operators,
    records,
    statements,
    templates,
)
from .declarators import declared_name, function_declarator
from .reader import Grammar, Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def namespace(reader: Reader, node: Node) -> None:
    """`namespace a { ... }` and `extern "C" { ... }`: what is inside, as if it stood outside."""
    body = node.child_by_field_name("body")
    if body is not None:
        inside: Sequence[Node] = body.named_children if body.type == "declaration_list" else (body,)
        name = node.child_by_field_name("name")
        before = reader.names.made() if name is not None else None
        reader.items(inside)
        if name is not None and before is not None:
            reader.names.qualify(reader.src(name), before)
        if node.type == "linkage_specification":
            heads = (function_declarator(child.child_by_field_name("declarator")) for child in inside)
            reader.program.c_linkage.update(declared_name(reader, head) for head in heads if head is not None)


def _typedef_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    declarations.typedef(reader, node)


def _alias_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    declarations.alias(reader, node)


CPP = Grammar(
    items={
        "function_definition": records.function_item,
        "template_declaration": templates.template,
        "template_instantiation": templates.explicit_instance,
        "declaration": declarations.global_declaration,
        "field_declaration": declarations.global_declaration,
        "type_definition": declarations.typedef,
        "alias_declaration": declarations.alias,
        "struct_specifier": records.record_item,
        "class_specifier": records.record_item,
        "union_specifier": records.record_item,
        "enum_specifier": records.record_item,
        "namespace_definition": namespace,
        "linkage_specification": namespace,
        "ERROR": half_typed.error_item,
    },
    statements={
        "compound_statement": statements.compound,
        "declaration": declarations.local_declaration,
        "expression_statement": statements.expression_statement,
        "labeled_statement": statements.labeled,
        "if_statement": statements.if_statement,
        "switch_statement": statements.switch,
        "return_statement": statements.return_statement,
        "break_statement": statements.break_statement,
        "goto_statement": statements.goto_statement,
        "continue_statement": statements.continue_statement,
        "for_statement": loops.for_statement,
        "for_range_loop": loops.range_loop,
        "while_statement": loops.while_statement,
        "do_statement": loops.do_statement,
        "type_definition": _typedef_statement,
        "alias_declaration": _alias_statement,
        "struct_specifier": records.record_statement,
        "enum_specifier": records.record_statement,
        "try_statement": statements.attempt,
        "throw_statement": statements.unread,
        "ERROR": half_typed.error_statement,
    },
    expressions={
        "number_literal": expressions.number,
        "char_literal": expressions.number,
        "true": expressions.boolean,
        "false": expressions.boolean,
        "identifier": expressions.identifier,
        "qualified_identifier": templates.named_value,
        "template_function": templates.named_value,
        "parenthesized_expression": expressions.first_child,
        "condition_clause": expressions.first_child,
        "expression_statement": expressions.first_child,
        "comma_expression": expressions.comma,
        "update_expression": operators.update,
        "pointer_expression": expressions.unary,
        "field_expression": expressions.field,
        "conditional_expression": expressions.conditional,
        "initializer_list": expressions.many,
        "initializer_pair": initialisers.pair,
        "gnu_asm_expression": expressions.assembly,
        "cast_expression": calls.cast,
        "sizeof_expression": calls.sizeof,
        "call_expression": calls.call,
        "compound_literal_expression": calls.literal_of_type,
        "lambda_expression": functions.lambda_value,
        "binary_expression": operators.binary,
        "assignment_expression": operators.assignment,
        "unary_expression": operators.unary,
        "subscript_expression": operators.subscript,
        "new_expression": calls.allocation,
        "delete_expression": calls.allocation,
    },
    specifiers={
        "struct_specifier": records.record,
        "class_specifier": records.record,
        "union_specifier": records.record,
        "enum_specifier": records.enumeration,
        "decltype": operators.decltype,
    },
    class_instance=templates.class_instance,
    function_instance=templates.instantiate,
)
