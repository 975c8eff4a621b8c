package arithmetic

import chisel3._
import chisel3.util._

object AluOp extends ChiselEnum {
  val add, sub, and, or, xor, slt, sll, srl, sra = Value
}

class Alu(width: Int = 32) extends Module {
  val io = IO(new Bundle {
    val op = Input(AluOp())
    val a = Input(UInt(width.W))
    val b = Input(UInt(width.W))
    val result = Output(UInt(width.W))
    val zero = Output(Bool())
  })
  val shamt = io.b(log2Ceil(width) - 1, 0)
  io.result := 0.U
  switch(io.op) {
    is(AluOp.add) { io.result := io.a + io.b }
    is(AluOp.sub) { io.result := io.a - io.b }
    is(AluOp.and) { io.result := io.a & io.b }
    is(AluOp.or) { io.result := io.a | io.b }
    is(AluOp.xor) { io.result := io.a ^ io.b }
    is(AluOp.slt) { io.result := (io.a.asSInt < io.b.asSInt).asUInt }
    is(AluOp.sll) { io.result := (io.a << shamt)(width - 1, 0) }
    is(AluOp.srl) { io.result := io.a >> shamt }
    is(AluOp.sra) { io.result := (io.a.asSInt >> shamt).asUInt }
  }
  io.zero := io.result === 0.U
}

class BarrelShifter(width: Int = 16) extends Module {
  val io = IO(new Bundle {
    val in = Input(UInt(width.W))
    val amount = Input(UInt(log2Ceil(width).W))
    val rotate = Input(Bool())
    val out = Output(UInt(width.W))
  })
  val stages = (0 until log2Ceil(width)).foldLeft(io.in) { (value, i) =>
    val by = 1 << i
    val fill = Mux(io.rotate, value(width - 1, width - by), 0.U(by.W))
    Mux(io.amount(i), Cat(value(width - by - 1, 0), fill), value)
  }
  io.out := stages
}

/** Restoring division, one bit a cycle. */
class Divider(width: Int = 16) extends Module {
  val io = IO(new Bundle {
    val start = Input(Bool())
    val dividend = Input(UInt(width.W))
    val divisor = Input(UInt(width.W))
    val quotient = Output(UInt(width.W))
    val remainder = Output(UInt(width.W))
    val done = Output(Bool())
  })
  val busy = RegInit(false.B)
  val count = Reg(UInt(log2Ceil(width).W))
  val work = Reg(UInt((2 * width).W))
  val divisor = Reg(UInt(width.W))

  val shifted = work << 1
  val top = shifted(2 * width - 1, width)
  val fits = top >= divisor

  when(io.start && !busy) {
    busy := true.B
    count := (width - 1).U
    work := io.dividend
    divisor := io.divisor
  }.elsewhen(busy) {
    work := Mux(fits, Cat(top - divisor, shifted(width - 1, 1), 1.U(1.W)), shifted)
    count := count - 1.U
    when(count === 0.U) { busy := false.B }
  }
  io.quotient := work(width - 1, 0)
  io.remainder := work(2 * width - 1, width)
  io.done := !busy
}

class SaturatingAdder(width: Int = 12) extends Module {
  val a, b = IO(Input(SInt(width.W)))
  val sum = IO(Output(SInt(width.W)))
  val overflow = IO(Output(Bool()))

  private val highest = ((1 << (width - 1)) - 1).S(width.W)
  private val lowest = (-(1 << (width - 1))).S(width.W)
  private val exact = a +& b
  private val tooHigh = exact > highest
  private val tooLow = exact < lowest
  sum := MuxCase(exact(width - 1, 0).asSInt, Seq(tooHigh -> highest, tooLow -> lowest))
  overflow := tooHigh || tooLow
}

class LeadingZeros(width: Int = 32) extends Module {
  val in = IO(Input(UInt(width.W)))
  val count = IO(Output(UInt(log2Ceil(width + 1).W)))
  count := Mux(in.orR, PriorityEncoder(Reverse(in)), width.U)
}

class ComplexMultiplier(width: Int = 16) extends Module {
  class Complex(w: Int) extends Bundle {
    val re = SInt(w.W)
    val im = SInt(w.W)
  }
  val io = IO(new Bundle {
    val a = Input(new Complex(width))
    val b = Input(new Complex(width))
    val p = Output(new Complex(2 * width + 1))
  })
  val ac = RegNext(io.a.re * io.b.re)
  val bd = RegNext(io.a.im * io.b.im)
  val ad = RegNext(io.a.re * io.b.im)
  val bc = RegNext(io.a.im * io.b.re)
  io.p.re := RegNext(ac -& bd)
  io.p.im := RegNext(ad +& bc)
}

class MovingAverage(taps: Int = 8, width: Int = 10) extends Module {
  require(isPow2(taps))
  val io = IO(new Bundle {
    val in = Flipped(Valid(UInt(width.W)))
    val out = Output(UInt(width.W))
  })
  val history = RegInit(VecInit(Seq.fill(taps)(0.U(width.W))))
  val total = RegInit(0.U((width + log2Ceil(taps)).W))
  when(io.in.valid) {
    history(0) := io.in.bits
    for (i <- 1 until taps) { history(i) := history(i - 1) }
    total := total + io.in.bits - history(taps - 1)
  }
  io.out := total >> log2Ceil(taps)
}

class AdderTree(n: Int = 8, width: Int = 8) extends Module {
  val in = IO(Input(Vec(n, UInt(width.W))))
  val out = IO(Output(UInt((width + log2Ceil(n)).W)))
  out := in.reduceTree(_ +& _)
}
