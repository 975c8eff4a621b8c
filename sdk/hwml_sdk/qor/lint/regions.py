"""What a dataflow region may hold, and the order and depth of its channels.

UG1399, "Canonical Forms" and "Limitations of Dataflow": a region is declarations and calls (or loops) one after the
other, each channel written before it is read; conditions, plain code and returned values keep it from overlapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...document import Related, Span
from ..program import ir
from ..program.constant_text import evaluate_text
from ..program.expressions import everything_in, inside, root_variable
from .code import Code
from .context import Context, is_on, loop_name
from .rule import rule

NOT_A_PROCESS = Code("HLS138", "warning", "code in a dataflow region that is no process")
READ_FIRST = Code("HLS139", "warning", "channel read before it is written")
TOO_SHALLOW = Code("HLS140", "warning", "FIFO too shallow")
REWIND = Code("HLS137", "warning", "rewind beside other code")

DEFAULT_DEPTH = 2  # of a FIFO (UG1399, pragma HLS stream)


@dataclass(frozen=True, slots=True)
class Region:
    """A dataflow region: a function, or the body of a loop. place: of its pragma."""

    function: ir.Function
    body: ir.Block
    pragma: ir.Pragma


def regions(context: Context) -> Iterator[Region]:
    """Every dataflow region that is synthesised."""
    for function in context.functions():
        pragma = function.pragma("HLS", "DATAFLOW")
        if pragma is not None and is_on(pragma):
            yield Region(function, function.body, pragma)
        for loop in context.program.loops(function.name):
            pragma = loop.pragma("HLS", "DATAFLOW")
            if pragma is not None and is_on(pragma):
                yield Region(function, loop.body, pragma)


def flat(block: ir.Block) -> Iterator[ir.Stmt]:
    """The statements of a region, blocks inside taken apart."""
    for item in block.items:
        if isinstance(item, ir.Block):
            yield from flat(item)
        else:
            yield item


@rule(NOT_A_PROCESS)
def processes(context: Context) -> None:
    """Plain code, conditional calls and returned values in a region."""
    for region in regions(context):
        started = False
        for item in flat(region.body):
            why = _why_no_process(context, item, started)
            started = started or isinstance(item, ir.Loop) or _calls(item)
            if why:
                span = _place(item) or region.pragma.span
                related = (Related("the dataflow region", region.pragma.span, region.pragma.path),)
                advice = "hand it out by a pointer" if why.endswith("a value") else "put it into a function"
                message = f"{why} in a dataflow region: {advice}, or the processes may not overlap"
                path = region.function.path if _place(item) else region.pragma.path
                context.report(NOT_A_PROCESS, message, path, span, related=related)


def _reads_data(expr: ir.Expr) -> bool:
    """Whether an element of an array, no table of constants, is read."""
    roots = [root_variable(item) for item in inside([expr]) if isinstance(item, ir.Index)]
    return any(var is not None and not var.const for var in roots)


def _calls(item: ir.Stmt) -> bool:
    return isinstance(item, ir.Evaluate) and isinstance(item.expr, ir.Call)


def _why_no_process(context: Context, item: ir.Stmt, started: bool) -> str:
    """What keeps a statement from being a process; "" for what a region may hold.

    started: a process stands above it, so that it is no value that all of them may take.
    """
    if isinstance(item, ir.If):
        called = _hardware_call(context, everything_in(ir.Block([item])))
        loops = next(ir.loops_of(ir.Block([item])), None)
        return f"{called.name} is called under a condition" if called else "a loop under a condition" if loops else ""
    if isinstance(item, ir.Declare):
        called = _hardware_call(context, inside([item.var.init])) if item.var.init is not None else None
        if called is not None:
            return f"{called.name} returns a value"
        return "plain code" if started and item.var.init is not None and _reads_data(item.var.init) else ""
    expr = item.expr if isinstance(item, ir.Evaluate) else None
    if isinstance(expr, ir.Assign):
        called = _hardware_call(context, inside([expr.value]))
        if called is not None:
            return f"{called.name} returns a value"
        target = expr.target
        if isinstance(target, ir.Index | ir.Unary) or _reads_data(expr.value) or started:
            return "plain code"
    return ""


def _hardware_call(context: Context, exprs: tuple[ir.Expr, ...] | list[ir.Expr]) -> ir.Call | None:
    """The first call of a function that has loops or moves data: helpers that compute a value of values are none."""
    for expr in exprs:
        if isinstance(expr, ir.Call) and expr.receiver is None and expr.span is not None:
            function = context.program.functions.get(expr.name)
            if function is not None and (_has_loops(function) or any(map(_carries_data, function.params))):
                return expr
    return None


def _carries_data(param: ir.Variable) -> bool:
    return param.type.kind == "stream" or bool(param.dims) or bool(param.type.pointer)


def _has_loops(function: ir.Function) -> bool:
    return next(ir.loops_of(function.body), None) is not None


def _place(item: ir.Stmt) -> Span | None:
    """Where a statement stands, as far as its parts tell."""
    if isinstance(item, ir.Declare):
        return item.var.span
    for expr in everything_in(ir.Block([item])):
        if isinstance(expr, ir.Call | ir.Index) and expr.span is not None:
            return expr.span
    return None


@rule(READ_FIRST)
def order(context: Context) -> None:
    """The reader of a channel stands before its writer: it would wait for the next run, or for ever."""
    for region in regions(context):
        items = [item for item in flat(region.body) if isinstance(item, ir.Loop | ir.Evaluate)]
        local = {item.var for item in flat(region.body) if isinstance(item, ir.Declare)}
        uses = [context.uses.of(item) for item in items]
        unknown = {var for use in uses for var in use.unknown}
        for var in sorted(local - unknown, key=lambda var: var.span):
            given = var.init is not None and var.type.kind != "stream"  # a stream's is its name
            if not (var.dims or var.type.kind == "stream") or var.static or given:
                continue
            read = next((i for i, use in enumerate(uses) if var in use.reads), None)
            written = next((i for i, use in enumerate(uses) if var in use.writes), None)
            if read is None or written is None or read >= written:
                continue
            reader, writer = _place(items[read]), _place(items[written])
            message = f"{var.name} is read by a process above the one that writes it: the processes cannot overlap"
            related = (Related(f"{var.name} is written here", writer, region.function.path),) if writer else ()
            context.report(READ_FIRST, message, region.function.path, reader or var.span, related=related)


# -- depths --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Turn:
    """When a process uses a stream: in which of its loops, and how often there."""

    place: int
    times: int | None


@rule(TOO_SHALLOW)
def fifo_depths(context: Context) -> None:
    """Two streams between the same two processes: one fills while its reader waits for the other, which never comes."""
    for region in regions(context):
        processes_of = [item.expr for item in flat(region.body) if isinstance(item, ir.Evaluate)]
        turns = [_turns(context, call) if isinstance(call, ir.Call) else {} for call in processes_of]
        declared = [i.var for i in flat(region.body) if isinstance(i, ir.Declare) and i.var.type.kind == "stream"]
        streams = {var: at for at, var in enumerate(declared) if not var.dims}
        ends = _Ends.of(turns)
        for first in streams:
            # Of a thousand streams in a row few share their processes.
            for second in sorted((ends.beside(first) & streams.keys()) - {first}, key=lambda var: streams[var]):
                _pair(context, region, ends, first, second)
            _detour(context, region, ends, first)


_Turns = dict[tuple[ir.Variable, bool], _Turn]  # (stream, is it written) -> when


@dataclass(slots=True)
class _Ends:
    """Processes by number, and for each stream those that read or write it, in their order."""

    turns: list[_Turns]
    at: dict[tuple[ir.Variable, bool], list[int]]

    @classmethod
    def of(cls, turns: list[_Turns]) -> _Ends:
        """The ends of all streams."""
        at: dict[tuple[ir.Variable, bool], list[int]] = {}
        for number, found in enumerate(turns):
            for key in found:
                at.setdefault(key, []).append(number)
        return cls(turns, at)

    def of_both(self, first: ir.Variable, second: ir.Variable, *, written: bool) -> _Turns | None:
        """The first process that reads, or writes, both streams."""
        found = (self.turns[number] for number in self.at.get((first, written), ()))
        return next((turns for turns in found if (second, written) in turns), None)

    def beside(self, stream: ir.Variable) -> set[ir.Variable]:
        """Streams, with itself, that some process writes with this one and some reads with it."""
        ways = [
            {var for number in self.at.get((stream, written), ()) for var, way in self.turns[number] if way is written}
            for written in (True, False)
        ]
        return ways[0] & ways[1]


def _turns(context: Context, call: ir.Call) -> _Turns:
    """(stream of the region, is it written) -> when, for one call."""
    function = context.program.functions.get(call.name)
    if function is None or call.receiver is not None:
        return {}
    given = {
        param: argument.var
        for param, argument in zip(function.params, call.args, strict=False)
        if isinstance(argument, ir.Ref) and argument.var is not None and param.type.kind == "stream" and not param.dims
    }
    found: _Turns = {}
    several: set[tuple[ir.Variable, bool]] = set()
    for place, item in enumerate(flat(function.body)):
        for param, write, times in _transfers(context, item):
            outer = given.get(param)
            if outer is None:
                continue
            key = (outer, write)
            if key in found:
                several.add(key)
            found[key] = _Turn(place, times)
    return {key: turn for key, turn in found.items() if key not in several}


def _transfers(context: Context, item: ir.Stmt) -> Iterator[tuple[ir.Variable, bool, int | None]]:
    """Streams that a statement of a process reads or writes, and how often; each access once."""
    times: int | None = 1
    body = ir.Block([item])
    loop = item if isinstance(item, ir.Loop) else None
    while loop is not None:
        trips = context.facts.trip_count(loop) if not loop.has_break else None
        times = None if trips is None or times is None else times * trips
        body = loop.body
        inner = [i for i in flat(body) if isinstance(i, ir.Loop)]
        loop = inner[0] if len(inner) == 1 and len(list(flat(body))) == 1 else None
    guarded = any(isinstance(i, ir.If | ir.Loop) for i in flat(body))
    for expr in everything_in(body):
        receiver: ir.Variable | None = None
        write = False
        if isinstance(expr, ir.Call) and expr.receiver is not None and expr.name in ("read", "write"):
            receiver, write = root_variable(expr.receiver), expr.name == "write"
        elif isinstance(expr, ir.Binary) and expr.op in ("<<", ">>"):
            receiver, write = root_variable(expr.left), expr.op == "<<"
        if receiver is not None and receiver.type.kind == "stream":
            yield receiver, write, None if guarded else times


def _pair(context: Context, region: Region, ends: _Ends, first: ir.Variable, second: ir.Variable) -> None:
    """Whether `first` must hold what its writer gives before its reader comes to take it."""
    writer, reader = (ends.of_both(first, second, written=written) for written in (True, False))
    if writer is None or reader is None or writer is reader:
        return
    put, put_other = writer[first, True], writer[second, True]
    take, take_other = reader[first, False], reader[second, False]
    waits_in_order = put.place < put_other.place and take.place >= take_other.place  # all of first, then second
    waits_in_reader = put.place == put_other.place and take.place > take_other.place  # all of second is taken first
    if not (waits_in_order or waits_in_reader):
        return
    together = take.place == take_other.place
    depth = _depth(region.function, first)
    if put.times is None or depth is None:
        return
    needed = put.times - 1 if together else put.times
    if depth >= needed or put.times <= DEFAULT_DEPTH:
        return
    message = (
        f"{first.name} holds {depth} elements, but {put.times} are written before its reader takes them: the region "
        f"stands still for ever; give it depth={put.times}"
    )
    context.report(TOO_SHALLOW, message, first.path, first.span)


def _detour(context: Context, region: Region, ends: _Ends, direct: ir.Variable) -> None:
    """A stream past a process that takes all before it gives any: `direct` must hold as much."""
    writer, reader = (ends.of_both(direct, direct, written=written) for written in (True, False))
    depth = _depth(region.function, direct)
    if writer is None or reader is None or writer is reader or depth is None:
        return
    put, take = writer[direct, True], reader[direct, False]
    given_to = {number for into, written in writer if written for number in ends.at.get((into, False), ())}
    for middle in (ends.turns[number] for number in sorted(given_to)):
        if middle is writer or middle is reader:
            continue
        for (into, writes), taken in middle.items():
            given = writer.get((into, True))
            if writes or given is None or given.place < put.place:
                continue
            ways = (t for (var, w), t in middle.items() if w and reader.get((var, False), _NEVER).place == take.place)
            out = next(ways, None)
            late = out is not None and (taken.place < out.place or given.place > put.place)
            if late and put.times is not None and depth < put.times and put.times > DEFAULT_DEPTH:
                message = (
                    f"{direct.name} holds {depth} elements, but the process beside it takes {put.times} of {into.name} "
                    f"before it gives any: the region stands still for ever; give it depth={put.times}"
                )
                context.report(TOO_SHALLOW, message, direct.path, direct.span)
                return


_NEVER = _Turn(-1, None)


def _depth(function: ir.Function, stream: ir.Variable) -> int | None:
    pragmas = [p for p in function.pragmas if p.kind == "STREAM" and p.options.get("variable") == stream.name]
    if pragmas and "depth" in pragmas[-1].options:
        return pragmas[-1].whole("depth")
    if "," in stream.type.name:  # hls::stream<T, DEPTH>
        value = evaluate_text(stream.type.name.rpartition(",")[2].rstrip("> "), lambda _: None)
        return None if value is None else int(value)
    return DEFAULT_DEPTH


# -- rewind --------------------------------------------------------------------------------------------------------


@rule(REWIND)
def rewind(context: Context) -> None:
    """UG1399, pragma HLS pipeline: rewind needs the loop to be the only one of its function, with nothing beside it."""
    for function in context.functions():
        items = list(flat(function.body))
        loops = [item for item in items if isinstance(item, ir.Loop)]
        for loop in context.program.loops(function.name):
            pragma = loop.pragma("HLS", "PIPELINE")
            if pragma is None or "rewind" not in pragma.options or not is_on(pragma):
                continue
            outer = loop
            while outer.parent is not None:
                outer = outer.parent
            other = next((item for item in loops if item is not outer), None)
            if other is not None:
                message = (
                    f"rewind of {loop_name(loop)} has no effect: {loop_name(other)} runs beside it in {function.name}"
                )
                related = (Related(f"{loop_name(other)} stands here", other.head, other.path),)
                text = context.text(pragma)
                fixes = text.replace(text.word(r"(\s+rewind\b(?:\s*=\s*\w+)?)"), "", "remove rewind", safe=True)
                context.report(REWIND, message, pragma.path, pragma.span, fixes=fixes, related=related)
