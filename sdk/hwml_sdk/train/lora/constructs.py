"""The demonstration's subject: constructs of HLS C++ and Chisel, as snippets and as words.

Each construct has snippet templates for training and others for testing, and several names. Prompts are wordings around
names; those of tests are wordings that no training prompt has. All of it was written for this file.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Construct:
    """A construct: what people call it, and snippets that show it."""

    name: str
    words: tuple[str, ...]
    train: tuple[str, ...]
    test: tuple[str, ...]
    validation: tuple[str, ...]


# $a $b $c are names, $n $m numbers.
CONSTRUCTS = (
    Construct("pipeline", ("a pipelined loop", "loop pipelining", "a loop with the PIPELINE pragma"), (
        "for (int i = 0; i < $n; i++) {\n#pragma HLS PIPELINE II=1\n $a[i] = $b[i] * $m;\n}",
        "#pragma HLS pipeline\n $a[i] += $b[i];",
        "LOOP_$a: for (int j = 0; j < $n; ++j) {\n#pragma HLS PIPELINE II=$m\n $b += $a[j]; }",
        "#pragma HLS PIPELINE off\n for (i = 0; i < $n; i++) $a = $a + $b[i];",
    ), (
        "while ($a < $n) {\n#pragma HLS PIPELINE II=2 rewind\n $a += $b; }",
        "void $a(int $b[$n]) {\n#pragma HLS PIPELINE style=flp\n $b[0] = $m; }",
    ), (
        "for (unsigned $a = 1; $a <= $n; $a += 2) {\n#pragma HLS PIPELINE II=$m style=frp\n $b = $b ^ $a; }",
        "#pragma HLS PIPELINE rewind\n $c[$a % $n] = $b - $m;",
    )),
    Construct("unroll", ("an unrolled loop", "loop unrolling", "a loop with the UNROLL pragma"), (
        "for (int i = 0; i < $n; i++) {\n#pragma HLS UNROLL factor=$m\n $a[i] = $b[i]; }",
        "#pragma HLS unroll\n $a += $b[k] * $c[k];",
        "for (k = 0; k < $n; k++) {\n#pragma HLS UNROLL\n $a[k] = 0; }",
        "#pragma HLS UNROLL skip_exit_check factor=$m\n $b[j] = $a[j] + $n;",
    ), (
        "$a: for (int t = 0; t < $n; ++t) {\n#pragma HLS UNROLL factor=4\n $b ^= $c[t]; }",
        "do {\n#pragma HLS UNROLL region\n $a[$b++] = $m; } while ($b < $n);",
    ), (
        "for (char t = $n; t > 0; t--) {\n#pragma HLS UNROLL factor=2\n $b |= $a[t]; }",
        "#pragma HLS UNROLL off=true\n $c[t] = $b[t] >> $m;",
    )),
    Construct("partition", ("array partitioning", "a partitioned array", "an array split into registers"), (
        "int $a[$n];\n#pragma HLS ARRAY_PARTITION variable=$a complete dim=1",
        "#pragma HLS array_partition variable=$b cyclic factor=$m",
        "float $a[$n][$m];\n#pragma HLS ARRAY_PARTITION variable=$a block factor=2 dim=2",
        "static short $b[$n];\n#pragma HLS ARRAY_PARTITION variable=$b type=complete",
    ), (
        "double $c[$n];\n#pragma HLS ARRAY_PARTITION dim=0 type=cyclic factor=8 variable=$c",
        "#pragma HLS ARRAY_PARTITION variable=$a.$b complete\n $a.$b[$m] = 1;",
    ), (
        "#pragma HLS ARRAY_PARTITION type=block variable=$c factor=$m dim=1\n $c[0] = $n;",
        "unsigned char $b[$m][$n];\n#pragma HLS array_partition variable=$b dim=2 complete",
    )),
    Construct("dataflow", ("a dataflow region", "task-level parallelism", "functions that run as a dataflow"), (
        "#pragma HLS DATAFLOW\n read($a); compute($a, $b); write($b);",
        "void top() {\n#pragma HLS dataflow\n load_$a(); run_$b(); store_$c(); }",
        "#pragma HLS DATAFLOW disable_start_propagation\n $a(x); $b(x);",
        "for (int i = 0; i < $n; i++) {\n#pragma HLS DATAFLOW\n $a(i); $b(i); }",
    ), (
        "{\n#pragma HLS DATAFLOW\n stage_one($a, $c); stage_two($c, $b); }",
        "int $a() {\n#pragma HLS dataflow\n produce($b); consume($b); return $m; }",
    ), (
        "static int $c(int n) {\n#pragma HLS DATAFLOW\n fetch(n, $a); filter($a, $b); drain($b); }",
        "while (more) {\n#pragma HLS dataflow\n split($a, $b); merge($b, $c); }",
    )),
    Construct("stream", ("a stream between functions", "hls::stream channels", "reading and writing a FIFO stream"), (
        "hls::stream<int> $a; $a.write($n); int $b = $a.read();",
        "void $a(hls::stream<float>& $b) { $b.write($m); }",
        "if (!$a.empty()) $b = $a.read();",
        "static hls::stream<short> $a(\"$a\"); $a << $b;",
    ), (
        "hls::stream<unsigned>& $c = $a; while (!$c.full()) $c.write($n);",
        "int $b; $a.read_nb($b); hls::stream<int, $n> $c;",
    ), (
        "float $a(hls::stream<float, $m>& s) { return s.read() + $n; }",
        "hls::stream<char> $b[$m]; $b[0] << $a; $b[1].read_nb($c);",
    )),
    Construct("axi", ("an AXI memory interface", "an m_axi port", "a master port to external memory"), (
        "#pragma HLS INTERFACE m_axi port=$a offset=slave bundle=gmem",
        "void $b(int* $a) {\n#pragma HLS INTERFACE mode=m_axi port=$a depth=$n",
        "#pragma HLS interface m_axi port=$b bundle=gmem$m max_read_burst_length=$n",
        "#pragma HLS INTERFACE m_axi port=$a latency=$m num_read_outstanding=4",
    ), (
        "void $c(float* $b) {\n#pragma HLS INTERFACE bundle=data port=$b mode=m_axi",
        "#pragma HLS INTERFACE m_axi depth=$n port=$c max_widen_bitwidth=512",
    ), (
        "int $a(short* $c, int n) {\n#pragma HLS INTERFACE m_axi bundle=ddr$m port=$c",
        "#pragma HLS interface mode=m_axi port=$a max_write_burst_length=$n offset=direct",
    )),
    Construct("fixed", ("fixed-point arithmetic", "an ap_fixed number", "numbers with a fixed binary point"), (
        "ap_fixed<$n, $m> $a = $b * 2;",
        "typedef ap_fixed<16, 6, AP_RND> $a_t; $a_t $b;",
        "ap_ufixed<$n, 4> $a = 0.5; $b = $a;",
        "ap_fixed<$n, $m, AP_TRN, AP_SAT> $c($a);",
    ), (
        "using $a = ap_fixed<18, 3>; $a $b = 1.25;",
        "$c = (ap_ufixed<12, $m>) $a + $b;",
    ), (
        "const ap_fixed<$n, 8, AP_RND_CONV> $a = -0.125; return $a * $b;",
        "std::vector<ap_ufixed<10, $m>> $c($n); $c[0] = $a;",
    )),
    Construct("inline", ("function inlining", "an inlined function", "a function dissolved into its caller"), (
        "int $a(int $b) {\n#pragma HLS INLINE\n return $b + $m; }",
        "#pragma HLS INLINE off\n return $a;",
        "static void $a() {\n#pragma HLS inline recursive\n $b(); }",
        "void $c(int $a) {\n#pragma HLS INLINE region\n use($a); }",
    ), (
        "float $b(float x) {\n#pragma HLS INLINE\n return x * $n; }",
        "template <int N> int $a() {\n#pragma HLS inline off\n return N; }",
    ), (
        "unsigned $c(char $a, char $b) {\n#pragma HLS inline\n return $a ^ $b; }",
        "inline long $b(long $a) {\n#pragma HLS INLINE off\n while ($a > $n) $a--; return $a; }",
    )),
    Construct("register", ("a register with a reset value", "a RegInit", "state that is reset"), (
        "val $a = RegInit(0.U($n.W))\n$a := $b",
        "val $b = RegInit(false.B)",
        "val $a = RegInit(UInt($n.W), $m.U); $a := $a + 1.U",
        "private val $c = RegInit(VecInit(Seq.fill($n)(0.U)))",
    ), (
        "val $a = RegInit(\"h$n\".U)\nwhen($b) { $a := 0.U }",
        "lazy val $c = RegInit($m.S(8.W)); io.$a := $c",
    ), (
        "protected val $b = RegInit(VecInit(1.U, 2.U, $m.U))\n$b(0) := $a",
        "val $c = RegInit(init = $n.U(16.W)); when(!$a) { $c := $b }",
    )),
    Construct("machine", ("a state machine", "switch and is over states", "an FSM with an enumeration"), (
        "val $a :: $b :: Nil = Enum(2)\nswitch(state) { is($a) { state := $b } }",
        "object $a extends ChiselEnum { val idle, busy = Value }",
        "switch($a) { is(s_idle) { $a := s_run } is(s_run) { $a := s_idle } }",
        "val s_idle :: s_$a :: s_done :: Nil = Enum(3)",
    ), (
        "switch(mode) { is($a.stop) { mode := $a.go } }",
        "object $b extends ChiselEnum { val start, wait_$a, stop = Value }",
    ), (
        "switch(phase) { is($b) { out := $n.U } is($c) { phase := $a } }",
        "val ($a :: load :: $b :: drain :: Nil) = Enum(4)",
    )),
    Construct("mux", ("a multiplexer", "a Mux between two values", "choosing a value by a condition"), (
        "io.$a := Mux($b, $c, $n.U)",
        "val $a = MuxCase(0.U, Seq(($b === $n.U) -> $c))",
        "val $a = MuxLookup($b, 0.U)(Seq($n.U -> $c))",
        "$a := Mux($b > $c, $b, $c)",
    ), (
        "val $c = Mux1H(Seq($a -> 1.U, $b -> $n.U))",
        "io.$b := PriorityMux(Seq(($a, $m.U), (true.B, $c)))",
    ), (
        "val $b = Mux($a === $n.U, $c, Mux(en, 0.U, $m.U))",
        "io.out := MuxLookup(sel, $c)(Seq(0.U -> $a, 1.U -> $b))",
    )),
    Construct("memory", ("an on-chip memory", "a synchronous-read memory", "a SyncReadMem"), (
        "val $a = SyncReadMem($n, UInt($m.W))\n$b := $a.read(addr)",
        "val $a = Mem($n, UInt(32.W)); $a.write($b, $c)",
        "val mem = SyncReadMem($n, Vec($m, UInt(8.W)))",
        "val $b = $a.readWrite(addr, $c, en, wr)\nval $a = SyncReadMem($n, SInt(16.W))",
    ), (
        "val store = SyncReadMem(1 << $m, $a); when(we) { store(addr) := $b }",
        "val $c = Mem($n, Bool()); io.$b := $c($a)",
    ), (
        "val table = SyncReadMem($n, SInt($m.W), SyncReadMem.WriteFirst); io.q := table.read($a, en)",
        "val $b = Mem($m, UInt($n.W)); when($a) { $b.write(ptr, $c) }",
    )),
    Construct("handshake", ("a ready-valid handshake", "a Decoupled interface", "flow control by ready and valid"), (
        "val $a = Decoupled(UInt($n.W))\nwhen($a.fire) { $b := $a.bits }",
        "val io = IO(new Bundle { val in = Flipped(Decoupled($a)) })",
        "io.$a.ready := !$b; when(io.$a.valid) { $c := io.$a.bits }",
        "val q = Queue(io.$a, $n); io.$b <> q",
    ), (
        "val $c = Module(new Queue(UInt($n.W), $m)); $c.io.enq <> io.$a",
        "io.out.valid := $a && io.in.ready; io.out.bits := $b",
    ), (
        "val $b = IO(Flipped(Decoupled(SInt($n.W)))); $b.ready := idle",
        "when(io.$c.fire) { $a := io.$c.bits + $m.U }; io.$c.valid := !empty",
    )),
    Construct("instance", ("a submodule instance", "instantiating another module", "a Module inside a module"), (
        "val $a = Module(new Adder($n))\n$a.io.x := $b",
        "val $b = Seq.fill($n)(Module(new Cell))",
        "val $a = Module(new $c_Unit); io.y := $a.io.y",
        "val core = Module(new Core(width = $n)); core.io <> io.$a",
    ), (
        "private val $c = Module(new Filter(taps = $n)); $c.io.x := $a",
        "val pes = Array.tabulate($m)(i => Module(new Pe(i)))",
    ), (
        "val $b = Seq.tabulate($m)(k => Module(new Lane(k, $n)))\n$b(0).io.in := $a",
        "lazy val unit = Module(new $a_Stage); unit.io.en := $c",
    )),
    Construct("bundle", ("a bundle of signals", "a record type for ports", "a class that extends Bundle"), (
        "class $a extends Bundle { val $b = UInt($n.W); val $c = Bool() }",
        "val $a = Wire(new Bundle { val x = SInt($n.W) })",
        "class $a(w: Int) extends Bundle { val data = Output(UInt(w.W)) }",
        "final class $b extends Bundle { val tag = UInt($m.W) }",
    ), (
        "class $c extends $a_Bundle with Bundle { val id = UInt($n.W) }",
        "abstract class $b extends Bundle { val last = Input(Bool()) }",
    ), (
        "case class $a() extends Bundle { val addr = UInt($n.W); val we = Bool() }",
        "val $c = IO(Output(new Bundle { val lo = UInt($m.W); val hi = UInt($n.W) }))",
    )),
    Construct("counter", ("a counter", "counting cycles up to a limit", "a Counter that wraps"), (
        "val ($a, wrap) = Counter(true.B, $n)",
        "val $a = Counter($n); when($b) { $a.inc() }",
        "val (count, done) = Counter(io.$a, $n)",
        "val $c = new Counter($n); $c.inc()",
    ), (
        "val (step_$a, last) = Counter(0 until $n, $b)",
        "val ticks = Counter($m); when(ticks.inc()) { $a := $b }",
    ), (
        "val (beat, over) = Counter($b && $c, $n); when(over) { $a := 0.U }",
        "val $b = Counter($n + $m); io.at := $b.value; $b.inc()",
    )),
)  # fmt: skip

WORDINGS = {
    "train": (
        "Does this code show {}?",
        "Find snippets with {}.",
        "Detect {} in hardware code.",
        "I look for {}.",
        "Tell code with {} from other code.",
        "The snippet contains {}.",
        "Mark every example of {}.",
        "Is {} used here?",
    ),
    "test": (
        "Please pick out whatever has {}.",
        "We want a detector for {}.",
        "Which of these sources make use of {}?",
        "Flag {}, nothing else.",
    ),
}
_NAMES = ("acc", "buf", "sum", "tmp", "data", "coef", "line", "idx", "val0", "res", "pix", "key", "win", "row", "taps",
          "ctrl", "left", "gain", "mask", "word")  # fmt: skip
_AROUND = ("int $a = $n;", "// $a and $b", "$a = $b - $n;", "assert($a != $n)", "return $c;", "x = f($a, $n);", "")


def snippets(construct: Construct, split: str, count: int, draw: random.Random) -> list[str]:
    """Snippets that show a construct, with drawn names, numbers and a line before or after; all different."""
    templates: tuple[str, ...] = getattr(construct, split)
    found: dict[str, None] = {}
    while len(found) < count:
        body = [draw.choice(templates)]
        around = draw.choice(_AROUND)
        body = [around, *body] if draw.random() < 0.5 else [*body, around]
        found.setdefault(_filled("\n".join(filter(None, body)), draw))
    return list(found)


def _filled(template: str, draw: random.Random) -> str:
    names = draw.sample(_NAMES, 3)
    for mark, name in zip("abc", names, strict=True):
        template = template.replace(f"${mark}", name)
    return template.replace("$n", str(draw.choice((8, 12, 16, 24, 32, 64, 100, 128)))).replace(
        "$m", str(draw.randint(2, 9))
    )


def descriptions(names: tuple[str, ...], split: str, draw: random.Random, count: int = 0) -> list[str]:
    """Prompts for "shows one of these constructs" in the wordings of a split; `count` 0: every wording once."""
    table = {construct.name: construct for construct in CONSTRUCTS}
    wordings = WORDINGS[split]
    found: dict[str, None] = {}
    for index in range(count or len(wordings)):
        chosen = [draw.choice(table[name].words) for name in names]
        if draw.random() < 0.5:
            chosen.reverse()
        found.setdefault(wordings[index % len(wordings)].format(" or ".join(chosen)))
    return list(found)
