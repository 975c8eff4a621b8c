"""Lint rules about single pragmas: how they are written, where they stand, what they name."""

from __future__ import annotations

import difflib
import re

from ...document import Edit, Fix, Related, Severity
from ..pragmas.table import (
    ACCEL_KINDS,
    ACCEL_LOOP_KINDS,
    CLOSED,
    FUNCTION_ONLY,
    HLS_OPTIONS,
    LOOP_ONLY,
    NUMBERS,
    VALUES,
    VARIABLE_OPTION,
)
from ..program import ir
from ..program.facts import function_of, walk
from .context import Context, PragmaText, is_on, loop_name, owner_name

_NAME = re.compile(r"[A-Za-z_]\w*")
_SPLIT = ("ARRAY_PARTITION", "ARRAY_RESHAPE")


def rule_spelling(context: Context) -> None:
    """HLS105 unknown pragma, HLS106 unknown option, HLS107 a value that cannot be."""
    for pragma in context.program.pragmas:
        text = context.text(pragma)
        known = HLS_OPTIONS if pragma.dialect == "HLS" else ACCEL_KINDS
        if pragma.kind.startswith("IF") or not _NAME.fullmatch(pragma.kind or "-"):
            continue  # `#pragma HLS if (condition) ...` of 2026
        if pragma.kind not in known:
            _unknown_kind(context, pragma, text)
        elif pragma.dialect == "HLS":
            _options(context, pragma, text)
            _values(context, pragma, text)


def _unknown_kind(context: Context, pragma: ir.Pragma, text: PragmaText) -> None:
    known = sorted(HLS_OPTIONS if pragma.dialect == "HLS" else ACCEL_KINDS)
    near = difflib.get_close_matches(pragma.kind, known, n=1, cutoff=0.75)
    span = text.kind_span()
    if not near:
        message = f"{pragma.dialect} pragma {pragma.kind} is none that hwml knows; the tool may ignore it"
        context.report("HLS105", message, pragma.path, span, severity="info")
        return
    written = text.source.slice(span) if text.source is not None and text.editable else pragma.kind
    better = near[0].lower() if written.islower() else near[0]
    fixes = text.replace(span, better, f"write {better}", safe=True)
    message = f"unknown pragma {written}: the tool ignores it; did you mean {better}?"
    context.report("HLS105", message, pragma.path, span, fixes=fixes)


def _options(context: Context, pragma: ir.Pragma, text: PragmaText) -> None:
    known = HLS_OPTIONS[pragma.kind]
    for option in pragma.options:
        if option in known or (not pragma.options[option] and _is_variable(context, pragma, option)):
            continue
        near = difflib.get_close_matches(option, sorted(known), n=1, cutoff=0.7)
        if not near and pragma.kind not in CLOSED:
            continue
        span = text.word(rf"\b({re.escape(option)})\b")
        fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if near else ()
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(sorted(known)) or 'none'}"
        message = f"{pragma.kind} has no option {option!r}: the tool ignores or refuses it; {hint}"
        context.report("HLS106", message, pragma.path, span, fixes=fixes)


def _is_variable(context: Context, pragma: ir.Pragma, word: str) -> bool:
    """`variable=a, b`: the second name is read as a flag. Names are kept in lower case there."""
    if pragma.kind not in VARIABLE_OPTION:
        return False
    function = function_of(context.program, pragma.owner)
    names = {*context.program.globals, *(function.variables if function is not None else ())}
    return word in {name.lower() for name in names}


def _values(context: Context, pragma: ir.Pragma, text: PragmaText) -> None:
    for (kind, option), smallest in NUMBERS.items():
        if kind != pragma.kind or option not in pragma.options:
            continue
        written = pragma.options[option]
        value = context.facts.number(written, function_of(context.program, pragma.owner)) if written else None
        span = text.value_span(option) if written else text.option_span(option)
        if not written:
            context.report("HLS107", f"{kind} {option}= needs a number", pragma.path, span)
        elif value is not None and value < smallest:
            message = f"{kind} {option}={written}: the smallest value is {smallest}"
            context.report("HLS107", message, pragma.path, span)
    for (kind, option), words in VALUES.items():
        written = pragma.options.get(option, "").lower()
        if kind != pragma.kind or not written or written in words or not _NAME.fullmatch(written):
            continue
        near = difflib.get_close_matches(written, sorted(words), n=1, cutoff=0.6)
        span = text.value_span(option)
        fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if near else ()
        message = f"{kind} {option}={written}: must be one of {', '.join(sorted(words))}"
        context.report("HLS107", message, pragma.path, span, fixes=fixes)


# -- places --------------------------------------------------------------------------------------------------


def rule_place(context: Context) -> None:
    """HLS108 pragmas outside what they speak about, HLS127 the same for Merlin, HLS128 directives without a target."""
    broken = {problem.path for problem in context.program.problems}
    for pragma in context.program.pragmas:
        if pragma.from_file and pragma.owner is None:
            message = f"{pragma.kind}: there is no such function or loop label in {context.program.path}"
            context.report("HLS128", message, pragma.path, pragma.span)
        elif pragma.dialect == "ACCEL":
            if pragma.kind in ACCEL_LOOP_KINDS and not isinstance(pragma.owner, ir.Loop):
                message = f"ACCEL {pragma.kind} has no loop below it: Merlin ignores it; put it right above the loop"
                context.report("HLS127", message, pragma.path, pragma.span)
        elif pragma.owner is None:
            if pragma.path not in broken and pragma.kind in HLS_OPTIONS and _at_file_level(context, pragma):
                message = f"{pragma.kind} stands outside any function: the tool ignores it; put it inside the body"
                context.report("HLS108", message, pragma.path, pragma.span, fixes=_into_function(context, pragma))
        else:
            _scope(context, pragma)


def _scope(context: Context, pragma: ir.Pragma) -> None:
    owner = pragma.owner
    if pragma.kind in LOOP_ONLY and isinstance(owner, ir.Function) and "region" not in pragma.options:
        loop = _loop_below(context, pragma, owner)
        where = f"move it into the body of {loop_name(loop)}" if loop is not None else "put it inside the loop's body"
        message = f"{pragma.kind} stands outside any loop and has no effect; {where}"
        fixes = _into_loop(context, pragma, loop) if loop is not None else ()
        context.report("HLS108", message, pragma.path, pragma.span, fixes=fixes)
    elif pragma.kind in FUNCTION_ONLY and isinstance(owner, ir.Loop):
        message = f"{pragma.kind} stands inside {loop_name(owner)}; it speaks about the function: put it at its top"
        context.report("HLS108", message, pragma.path, pragma.span)


_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def _at_file_level(context: Context, pragma: ir.Pragma) -> bool:
    """Whether no brace is open above the pragma: inside classes and macros the reader may miss the body."""
    source = context.source(pragma.path)
    if source is None:
        return False
    before = _COMMENT.sub("", source.text[: source.index(pragma.span.start_line, 0)])
    return before.count("{") == before.count("}")


def _into_function(context: Context, pragma: ir.Pragma) -> tuple[Fix, ...]:
    """Move a pragma that stands between a function's head and its `{` to below the brace."""
    source = context.source(pragma.path)
    text = context.text(pragma)
    if source is None or not text.editable:
        return ()
    end = source.index(pragma.span.end_line, pragma.span.end_character)
    match = re.compile(r"\s*\{[ \t]*\n").match(source.text, end)
    before = source.text[: text.begin].rstrip()
    if match is None or not before.endswith(")"):
        return ()
    return _move(context, pragma, match.end())


def _loop_below(context: Context, pragma: ir.Pragma, function: ir.Function) -> ir.Loop | None:
    """The loop that starts right below the pragma, other pragmas aside."""
    source = context.source(pragma.path)
    if source is None or not context.text(pragma).editable:
        return None
    end = source.index(pragma.span.end_line, pragma.span.end_character)
    for loop in context.program.loops(function.name):
        begin = source.index(loop.span.start_line, loop.span.start_character)
        if loop.parent is None and loop.path == pragma.path and begin > end:
            between = _COMMENT.sub("", source.text[end:begin])
            between = re.sub(r"#\s*pragma[^\n]*", "", between)
            return loop if re.fullmatch(r"\s*(?:[A-Za-z_]\w*\s*:)?\s*", between) else None
    return None


def _into_loop(context: Context, pragma: ir.Pragma, loop: ir.Loop) -> tuple[Fix, ...]:
    source = context.source(pragma.path)
    if source is None:
        return ()
    head = source.index(loop.head.end_line, loop.head.end_character)
    match = re.compile(r"\s*\{[ \t]*\n").match(source.text, head)
    return _move(context, pragma, match.end()) if match else ()


def _move(context: Context, pragma: ir.Pragma, target: int) -> tuple[Fix, ...]:
    """Take the pragma's line out and put it at the start of the line at offset `target`."""
    text = context.text(pragma)
    source = text.source
    assert source is not None
    line = source.whole_lines(pragma.span)
    if line == pragma.span:
        return ()
    place = source.span(target, target)
    edits = (Edit(line, ""), Edit(place, f"{text.raw}\n"))
    return (Fix(f"move {pragma.kind} into the body", edits),)


# -- variables -----------------------------------------------------------------------------------------------


def rule_variable(context: Context) -> None:
    """HLS109 a name that is nowhere declared, HLS110 a pragma above the declaration it speaks about."""
    for pragma in context.program.pragmas:
        option = VARIABLE_OPTION.get(pragma.kind)
        function = function_of(context.program, pragma.owner)
        if pragma.dialect != "HLS" or option is None or function is None or "::" in function.name:
            continue
        written = pragma.options.get(option, "").strip("&* ")
        match = _NAME.match(written)
        if match is None or written.startswith("this") or (option == "port" and written.lower() == "return"):
            continue
        name = match.group()
        var = function.variables.get(name) or context.program.globals.get(name)
        if var is None:
            _undeclared(context, pragma, option, name, function)
        elif var.scope == "local" and not pragma.from_file and _above(pragma, var) and not _also_earlier(context, var):
            related = Related(f"{name} is declared here", var.span, var.path)
            message = f"{pragma.kind} stands above the declaration of {name}: the tool does not know the name yet"
            span = context.text(pragma).value_span(option)
            context.report("HLS110", message, pragma.path, span, related=(related,))


def _undeclared(context: Context, pragma: ir.Pragma, option: str, name: str, function: ir.Function) -> None:
    if name in function.template_params or (context.program.missing_headers and name.isupper()):
        return
    candidates = [p.name for p in function.params] if option == "port" else [*function.variables]
    candidates += [] if option == "port" else [*context.program.globals]
    near = difflib.get_close_matches(name, candidates, n=2, cutoff=0.6)
    text = context.text(pragma)
    span = text.value_span(option)
    fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if len(near) == 1 else ()
    what = "parameter" if option == "port" else "variable"
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    message = f"{pragma.kind}: there is no {what} {name!r} in {function.name}{hint}"
    severity: Severity = "warning" if pragma.from_file else "error"
    context.report("HLS109", message, pragma.path, span, severity=severity, fixes=fixes)


def _above(pragma: ir.Pragma, var: ir.Variable) -> bool:
    return pragma.path == var.path and pragma.span < var.span


def _also_earlier(context: Context, var: ir.Variable) -> bool:
    return var.name in context.program.globals


# -- loops ---------------------------------------------------------------------------------------------------


def rule_unroll(context: Context) -> None:
    """HLS101 more copies than iterations, HLS102 copies that do not divide the iterations."""
    for loop in context.loops():
        pragma = loop.pragma("HLS", "UNROLL")
        if not is_on(pragma) or context.is_template(loop):
            continue
        assert pragma is not None
        factor = context.facts.number(pragma.options.get("factor", ""), function_of(context.program, loop))
        trips = context.facts.trip_count(loop)
        if not factor or factor < 1 or not trips or loop.has_break:
            continue
        text = context.text(pragma)
        span = text.value_span("factor")
        if factor > trips:
            plain = text.value_text("factor").isdigit()
            fixes = text.replace(span, str(trips), f"unroll by {trips}", safe=True) if plain else None
            message = f"unroll factor {factor} is over the {trips} iterations of {loop_name(loop)}: all are unrolled"
            context.report("HLS101", message, pragma.path, span, fixes=fixes or ())
        elif trips % factor:
            message = (
                f"unroll factor {factor} does not divide the {trips} iterations of {loop_name(loop)}: "
                f"the last round is partial, so exit checks are added"
            )
            context.report("HLS102", message, pragma.path, span)


def rule_nested_pipeline(context: Context) -> None:
    """HLS103 a pipeline inside a pipeline, HLS104 a pipeline around a loop that cannot be unrolled."""
    for loop in context.loops():
        outer = _pipelined_around(context, loop)
        if outer is None:
            continue
        owner, pragma = outer
        blocking = _blocking(context, loop, owner)
        own = loop.pragma("HLS", "PIPELINE")
        if blocking:
            related = (Related(f"{loop_name(loop)} runs a varying number of times", loop.head, loop.path),)
            message = (
                f"{owner_name(owner)} cannot be pipelined: {loop_name(loop)} inside it depends on {blocking}, "
                f"so it cannot be unrolled"
            )
            context.report("HLS104", message, pragma.path, pragma.span, related=related)
        elif own is not None and is_on(own) and _unrolled_up_to(context, loop, owner):
            fixes = context.text(own).remove("remove the pipeline pragma", safe=True)
            related = (Related(f"{owner_name(owner)} is pipelined here", pragma.span, pragma.path),)
            message = (
                f"pipeline of {loop_name(loop)} has no effect: {owner_name(owner)} around it is pipelined, "
                f"which unrolls this loop completely"
            )
            context.report("HLS103", message, own.path, own.span, fixes=fixes, related=related)


def _pipelined_around(context: Context, loop: ir.Loop) -> tuple[ir.Loop | ir.Function, ir.Pragma] | None:
    """The outermost loop, or the function, around `loop` that a pragma pipelines."""
    function = context.program.functions.get(loop.function)
    chain: list[ir.Loop | ir.Function] = []
    outer = loop.parent
    while outer is not None:
        chain.append(outer)
        outer = outer.parent
    if function is not None:
        chain.append(function)
    for owner in reversed(chain):
        pragma = owner.pragma("HLS", "PIPELINE")
        if pragma is not None and is_on(pragma):
            return owner, pragma
    return None


def _unrolled_up_to(context: Context, loop: ir.Loop, owner: ir.Loop | ir.Function) -> bool:
    """Whether `loop` and all loops between it and `owner` have constant trip counts."""
    current: ir.Loop | None = loop
    while current is not None and current is not owner:
        if context.facts.trip_count(current) is None:
            return False
        current = current.parent
    return True


def _blocking(context: Context, loop: ir.Loop, owner: ir.Loop | ir.Function) -> str:
    """What keeps a loop inside a pipeline from being unrolled: a counter of a rolled loop, or a scalar argument."""
    if loop.kind != "for" or loop.condition is None or context.facts.trip_count(loop) is not None:
        return ""
    counters = set()
    outer = owner if isinstance(owner, ir.Loop) else None
    while outer is not None:
        counters.add(outer.var)
        outer = outer.parent
    function = context.program.functions[loop.function]
    entered = context.is_called(function.name)
    for expr in (*walk(loop.start), *walk(loop.condition)):
        var = expr.var if isinstance(expr, ir.Ref) else None
        if var is None or var is loop.var:
            continue
        if var in counters:
            return f"the counter {var.name}"
        if var.scope == "param" and not var.dims and not var.type.pointer and not entered:
            return f"the argument {var.name}"
    return ""


# -- partitions ----------------------------------------------------------------------------------------------


def rule_partition(context: Context) -> None:
    """HLS111 dimension out of range, HLS112 no factor, HLS113 over the extent, HLS114 not dividing, HLS115 unused."""
    for pragma in context.program.pragmas:
        if pragma.dialect != "HLS" or pragma.kind not in _SPLIT or not is_on(pragma):
            continue
        function = function_of(context.program, pragma.owner)
        if function is None:
            continue
        text = context.text(pragma)
        style = partition_style(pragma)
        factor_text = pragma.options.get("factor", "")
        if style in ("block", "cyclic") and "factor" not in pragma.options:
            message = f"{pragma.kind} type {style} needs factor=: the number of smaller arrays"
            context.report("HLS112", message, pragma.path, text.kind_span())
        elif style == "complete" and factor_text and "factor" in pragma.options:
            fixes = text.remove_option("factor", "remove the factor")
            message = f"{pragma.kind} complete takes no factor: factor={factor_text} is ignored"
            context.report("HLS115", message, pragma.path, text.option_span("factor"), fixes=fixes)
        _extent(context, pragma, text, function, style)


def partition_style(pragma: ir.Pragma) -> str:
    """block, cyclic or complete; what stands alone counts as well as `type=`."""
    written = pragma.options.get("type", "").lower()
    for style in ("block", "cyclic", "complete"):
        if style in (written, style if style in pragma.options else ""):
            return style
    return written or "complete"


def _extent(context: Context, pragma: ir.Pragma, text: PragmaText, function: ir.Function, style: str) -> None:
    var = _array(context, pragma, function)
    if var is None or context.is_template(function):
        return
    dim = context.facts.number(pragma.options.get("dim", "1"), function)
    if dim is None:
        return
    if dim > len(var.dims):
        what = f"{len(var.dims)} dimension{'s' if len(var.dims) > 1 else ''}"
        message = f"{pragma.kind} dim={dim}: {var.name} has {what}"
        related = Related(f"{var.name} is declared here", var.span, var.path)
        context.report("HLS111", message, pragma.path, text.option_span("dim"), related=(related,))
        return
    factor = context.facts.number(pragma.options.get("factor", ""), function)
    if style not in ("block", "cyclic") or factor is None or factor < 1:
        return
    dims = range(len(var.dims)) if dim == 0 else (dim - 1,)
    for index in dims:
        extent = var.dims[index]
        if extent is not None and not _fits(context, pragma, text, var, (index, extent, factor)):
            return


def _fits(
    context: Context, pragma: ir.Pragma, text: PragmaText, var: ir.Variable, numbers: tuple[int, int, int]
) -> bool:
    index, extent, factor = numbers
    span = text.value_span("factor")
    where = f"dimension {index + 1} of {var.name}" if len(var.dims) > 1 else var.name
    related = (Related(f"{var.name} is declared here", var.span, var.path),)
    if factor > extent:
        message = f"factor {factor} is over the {extent} elements of {where}"
        context.report("HLS113", message, pragma.path, span, related=related)
        return False
    if extent % factor:
        message = f"factor {factor} does not divide the {extent} elements of {where}: the parts differ in size"
        context.report("HLS114", message, pragma.path, span, related=related)
        return False
    return True


def _array(context: Context, pragma: ir.Pragma, function: ir.Function) -> ir.Variable | None:
    """The array a partition names, when it is one array and no member, and its name stands for one thing only."""
    written = pragma.options.get("variable", "")
    if not _NAME.fullmatch(written):
        return None
    var = function.variables.get(written) or context.program.globals.get(written)
    if var is None or not var.dims or var.type.pointer or context.declared_twice(function, written):
        return None
    return var


# -- several pragmas -----------------------------------------------------------------------------------------


def rule_repeated(context: Context) -> None:
    """HLS116 the same pragma twice, HLS117 pragmas that contradict each other."""
    for function in context.functions():
        owners: list[ir.Loop | ir.Function] = [function, *context.program.loops(function.name)]
        for owner in owners:
            pragmas = [pragma for pragma in owner.pragmas if pragma.dialect == "HLS"]
            _pairs(context, owner, pragmas)
            _clashes(context, owner, pragmas)


_SINGLE = {"PIPELINE", "UNROLL", "LOOP_TRIPCOUNT", "LOOP_FLATTEN", "DATAFLOW", "INLINE"}


def _key(pragma: ir.Pragma) -> tuple[str, ...] | None:
    """What must be said only once: the pragma itself, or the pragma for one dimension of one variable."""
    if pragma.kind in _SINGLE:
        return (pragma.kind,)
    if pragma.kind in _SPLIT and pragma.options.get("variable"):
        return pragma.kind, pragma.options["variable"], pragma.options.get("dim", "1")
    if pragma.kind == "STREAM" and pragma.options.get("variable"):
        return pragma.kind, pragma.options["variable"]
    return None


def _pairs(context: Context, owner: ir.Loop | ir.Function, pragmas: list[ir.Pragma]) -> None:
    first: dict[tuple[str, ...], ir.Pragma] = {}
    for pragma in pragmas:
        key = _key(pragma)
        if key is None:
            continue
        earlier = first.setdefault(key, pragma)
        if earlier is pragma:
            continue
        what = f"{key[0]} of {key[1]}" if len(key) > 1 else f"{key[0]} of {owner_name(owner)}"
        related = (Related("the other one", earlier.span, earlier.path),)
        if earlier.options == pragma.options:
            fixes = context.text(pragma).remove("remove the second one", safe=True)
            context.report("HLS116", f"{what} is said twice", pragma.path, pragma.span, fixes=fixes, related=related)
        else:
            message = f"{what} is said twice, differently: {_said(earlier)} and {_said(pragma)}"
            context.report("HLS117", message, pragma.path, pragma.span, related=related)


def _said(pragma: ir.Pragma) -> str:
    skipped = ("variable", "dim") if pragma.kind in _SPLIT else ("variable",)
    words = [f"{k}={v}" if v else k for k, v in pragma.options.items() if k not in skipped]
    return " ".join(words) or "no option"


def _clashes(context: Context, owner: ir.Loop | ir.Function, pragmas: list[ir.Pragma]) -> None:
    by_kind = {pragma.kind: pragma for pragma in pragmas if is_on(pragma)}
    pipeline, unroll, dataflow = (by_kind.get(kind) for kind in ("PIPELINE", "UNROLL", "DATAFLOW"))
    if pipeline is not None and dataflow is not None:
        message = f"{owner_name(owner)} has both PIPELINE and DATAFLOW: only one of them can hold"
        _clash(context, pipeline, dataflow, message)
    if pipeline is not None and unroll is not None and isinstance(owner, ir.Loop) and _is_whole(context, owner, unroll):
        message = f"{loop_name(owner)} is unrolled completely, so nothing of it is left to pipeline"
        _clash(context, pipeline, unroll, message)
    inline = by_kind.get("INLINE")
    into = inline is not None and ("recursive" in inline.options or "region" in inline.options)
    if inline is not None and not into and dataflow is not None and isinstance(owner, ir.Function):
        message = f"{owner_name(owner)} has both INLINE and DATAFLOW: inlined, it is no dataflow region of its own"
        _clash(context, inline, dataflow, message)
    _both_splits(context, pragmas)


def _is_whole(context: Context, loop: ir.Loop, unroll: ir.Pragma) -> bool:
    trips = context.facts.trip_count(loop)
    if trips is None or context.is_template(loop):
        return False
    written = unroll.options.get("factor")
    if written is None:
        return True
    factor = context.facts.number(written, function_of(context.program, loop))
    return factor is not None and factor >= trips


def _both_splits(context: Context, pragmas: list[ir.Pragma]) -> None:
    partitions = {
        (p.options.get("variable"), p.options.get("dim", "1")): p
        for p in pragmas
        if p.kind == "ARRAY_PARTITION" and is_on(p)
    }
    for pragma in pragmas:
        if pragma.kind == "ARRAY_RESHAPE" and is_on(pragma):
            other = partitions.get((pragma.options.get("variable"), pragma.options.get("dim", "1")))
            if other is not None:
                name = pragma.options.get("variable", "?")
                message = f"{name} is both partitioned and reshaped in the same dimension: the tool follows one of them"
                _clash(context, pragma, other, message)


def _clash(context: Context, pragma: ir.Pragma, other: ir.Pragma, message: str) -> None:
    related = (Related(f"{other.kind} stands here", other.span, other.path),)
    context.report("HLS117", message, pragma.path, pragma.span, related=related)


RULES = (
    rule_spelling,
    rule_place,
    rule_variable,
    rule_unroll,
    rule_nested_pipeline,
    rule_partition,
    rule_repeated,
)
