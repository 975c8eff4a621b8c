import chisel3._
import chisel3.util._

// Modules that no rule of the counting was made on; beside them what yosys 0.70 counts (unseen.json).
class GrayCounter extends Module {
  val io = IO(new Bundle { val en = Input(Bool()); val gray = Output(UInt(6.W)) })
  val n = RegInit(0.U(6.W))
  when(io.en) { n := n + 1.U }
  io.gray := n ^ (n >> 1)
}
class Lfsr16 extends Module {
  val io = IO(new Bundle { val load = Input(Bool()); val seed = Input(UInt(16.W)); val out = Output(UInt(16.W)) })
  val s = RegInit(1.U(16.W))
  s := Mux(io.load, io.seed, Cat(s(14, 0), s(15) ^ s(13) ^ s(12) ^ s(10)))
  io.out := s
}
class Crc8 extends Module {
  val io = IO(new Bundle { val valid = Input(Bool()); val data = Input(UInt(8.W)); val crc = Output(UInt(8.W)) })
  val crc = RegInit(0.U(8.W))
  def step(c: UInt, b: Bool): UInt = { val t = c(7) ^ b; Cat(c(6, 0), 0.U(1.W)) ^ Mux(t, 7.U(8.W), 0.U) }
  when(io.valid) { crc := (7 to 0 by -1).foldLeft(crc: UInt)((c, i) => step(c, io.data(i))) }
  io.crc := crc
}
class Debounce extends Module {
  val io = IO(new Bundle { val raw = Input(Bool()); val clean = Output(Bool()) })
  val s = RegNext(RegNext(io.raw)); val n = RegInit(0.U(10.W)); val q = RegInit(false.B)
  when(s === q) { n := 0.U }.otherwise { n := n + 1.U; when(n.andR) { q := s } }
  io.clean := q
}
class Pwm8 extends Module {
  val io = IO(new Bundle { val duty = Input(UInt(8.W)); val out = Output(Bool()) })
  val n = RegInit(0.U(8.W)); n := n + 1.U
  io.out := n < io.duty
}
class MinMax4 extends Module {
  val io = IO(new Bundle { val x = Input(Vec(4, UInt(12.W))); val lo = Output(UInt(12.W)); val hi = Output(UInt(12.W)) })
  io.lo := io.x.reduceTree((a, b) => Mux(a < b, a, b))
  io.hi := io.x.reduceTree((a, b) => Mux(a < b, b, a))
}
class AbsDiff extends Module {
  val io = IO(new Bundle { val a = Input(UInt(16.W)); val b = Input(UInt(16.W)); val y = Output(UInt(16.W)) })
  io.y := Mux(io.a > io.b, io.a - io.b, io.b - io.a)
}
class SevenSegment extends Module {
  val io = IO(new Bundle { val digit = Input(UInt(4.W)); val seg = Output(UInt(7.W)) })
  val codes = VecInit(Seq(0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f, 0x77, 0x7c, 0x39, 0x5e, 0x79, 0x71).map(_.U(7.W)))
  io.seg := codes(io.digit)
}
class BcdCounter extends Module {
  val io = IO(new Bundle { val tick = Input(Bool()); val ones = Output(UInt(4.W)); val tens = Output(UInt(4.W)) })
  val a = RegInit(0.U(4.W)); val b = RegInit(0.U(4.W))
  when(io.tick) {
    when(a === 9.U) { a := 0.U; b := Mux(b === 9.U, 0.U, b + 1.U) }.otherwise { a := a + 1.U }
  }
  io.ones := a; io.tens := b
}
class PriorityMux8 extends Module {
  val io = IO(new Bundle { val sel = Input(UInt(8.W)); val in = Input(Vec(8, UInt(8.W))); val out = Output(UInt(8.W)) })
  io.out := PriorityMux(io.sel.asBools, io.in)
}
class OneHotMux8 extends Module {
  val io = IO(new Bundle { val sel = Input(UInt(8.W)); val in = Input(Vec(8, UInt(8.W))); val out = Output(UInt(8.W)) })
  io.out := Mux1H(io.sel, io.in)
}
class Rotate32 extends Module {
  val io = IO(new Bundle { val in = Input(UInt(32.W)); val by = Input(UInt(5.W)); val out = Output(UInt(32.W)) })
  io.out := io.in.rotateLeft(io.by)
}
class SignedClamp extends Module {
  val io = IO(new Bundle { val in = Input(SInt(20.W)); val out = Output(SInt(12.W)) })
  io.out := Mux(io.in > 2047.S, 2047.S, Mux(io.in < (-2048).S, (-2048).S, io.in)).asUInt(11, 0).asSInt
}
class PolyEval extends Module {
  val io = IO(new Bundle { val x = Input(SInt(16.W)); val y = Output(SInt(34.W)) })
  val s1 = RegNext(io.x * io.x); val x1 = RegNext(io.x)
  io.y := RegNext(s1 +& (x1 * 3.S) +& 17.S)
}
class DotProduct4 extends Module {
  val io = IO(new Bundle { val a = Input(Vec(4, SInt(12.W))); val b = Input(Vec(4, SInt(12.W))); val y = Output(SInt(26.W)) })
  val p = io.a.zip(io.b).map { case (x, y) => RegNext(x * y) }
  io.y := RegNext(p.reduce(_ +& _))
}
class StackMemory extends Module {
  val io = IO(new Bundle { val push = Input(Bool()); val pop = Input(Bool()); val in = Input(UInt(16.W)); val out = Output(UInt(16.W)) })
  val mem = Mem(32, UInt(16.W)); val sp = RegInit(0.U(6.W))
  when(io.push) { mem.write(sp(4, 0), io.in); sp := sp + 1.U }.elsewhen(io.pop) { sp := sp - 1.U }
  io.out := mem.read((sp - 1.U)(4, 0))
}
class PacketCounter extends Module {
  val io = IO(new Bundle { val valid = Input(Bool()); val last = Input(Bool()); val len = Output(UInt(12.W)); val total = Output(UInt(24.W)) })
  val n = RegInit(0.U(12.W)); val len = Reg(UInt(12.W)); val total = RegInit(0.U(24.W))
  when(io.valid) { n := n + 1.U; total := total + 1.U; when(io.last) { len := n + 1.U; n := 0.U } }
  io.len := len; io.total := total
}
class TrafficLight extends Module {
  val io = IO(new Bundle { val car = Input(Bool()); val lights = Output(UInt(3.W)) })
  val red :: green :: yellow :: Nil = Enum(3)
  val state = RegInit(red); val n = RegInit(0.U(5.W)); n := n + 1.U
  switch(state) {
    is(red) { when(io.car && n > 20.U) { state := green; n := 0.U } }
    is(green) { when(n === 30.U) { state := yellow; n := 0.U } }
    is(yellow) { when(n === 5.U) { state := red; n := 0.U } }
  }
  io.lights := UIntToOH(state)(2, 0)
}
class MajorityVote extends Module {
  val io = IO(new Bundle { val a = Input(UInt(16.W)); val b = Input(UInt(16.W)); val c = Input(UInt(16.W)); val y = Output(UInt(16.W)); val bad = Output(Bool()) })
  io.y := (io.a & io.b) | (io.b & io.c) | (io.a & io.c)
  io.bad := io.a =/= io.b || io.b =/= io.c
}
class Hamming74 extends Module {
  val io = IO(new Bundle { val in = Input(UInt(7.W)); val out = Output(UInt(4.W)); val fixed = Output(Bool()) })
  val s = Cat(io.in(3) ^ io.in(4) ^ io.in(5) ^ io.in(6), io.in(1) ^ io.in(2) ^ io.in(5) ^ io.in(6), io.in(0) ^ io.in(2) ^ io.in(4) ^ io.in(6))
  val flip = UIntToOH(s)(7, 1)
  val w = io.in ^ flip
  io.out := Cat(w(6), w(5), w(4), w(2)); io.fixed := s.orR
}
class Timer extends Module {
  val io = IO(new Bundle { val start = Input(Bool()); val limit = Input(UInt(24.W)); val done = Output(Bool()); val busy = Output(Bool()) })
  val n = RegInit(0.U(24.W)); val busy = RegInit(false.B)
  when(io.start) { n := io.limit; busy := true.B }.elsewhen(busy) { n := n - 1.U; when(n === 1.U) { busy := false.B } }
  io.done := RegNext(busy && n === 1.U, false.B); io.busy := busy
}
class UartTx extends Module {
  val io = IO(new Bundle { val in = Flipped(Decoupled(UInt(8.W))); val tx = Output(Bool()) })
  val shift = RegInit(1.U(10.W)); val bits = RegInit(0.U(4.W)); val clk = RegInit(0.U(9.W))
  io.in.ready := bits === 0.U; io.tx := shift(0)
  when(bits === 0.U) { when(io.in.valid) { shift := Cat(1.U(1.W), io.in.bits, 0.U(1.W)); bits := 10.U; clk := 433.U } }
    .elsewhen(clk === 0.U) { clk := 433.U; shift := Cat(1.U(1.W), shift(9, 1)); bits := bits - 1.U }
    .otherwise { clk := clk - 1.U }
}
class MovingSum extends Module {
  val io = IO(new Bundle { val in = Input(UInt(10.W)); val out = Output(UInt(13.W)) })
  val taps = (1 until 8).scanLeft(RegNext(io.in))((r, _) => RegNext(r))
  io.out := RegNext(taps.map(_.pad(13)).reduce(_ + _))
}
class DecodeAddress extends Module {
  val io = IO(new Bundle { val addr = Input(UInt(32.W)); val sel = Output(UInt(4.W)); val err = Output(Bool()) })
  val hits = Seq(0x1000, 0x2000, 0x4000, 0x8000).map(b => io.addr(31, 12) === (b >> 4).U)
  io.sel := VecInit(hits).asUInt; io.err := !hits.reduce(_ || _)
}
