import chisel3._
import chisel3.experimental.{IntParam, StringParam}
import chisel3.util._

class DspMultiplier(width: Int) extends BlackBox(Map("WIDTH" -> IntParam(width), "MODE" -> StringParam("fast"))) {
  val io = IO(new Bundle {
    val clk = Input(Clock())
    val a = Input(UInt(width.W))
    val b = Input(UInt(width.W))
    val p = Output(UInt((2 * width).W))
  })
}

class InlineMajority extends BlackBox with HasBlackBoxInline {
  val io = IO(new Bundle {
    val a, b, c = Input(Bool())
    val y = Output(Bool())
  })
  setInline(
    "InlineMajority.v",
    """module InlineMajority(input a, input b, input c, output y);
      |  assign y = (a & b) | (a & c) | (b & c);
      |endmodule
      |""".stripMargin
  )
}

class VotedRegister(width: Int = 4) extends Module {
  val in = IO(Input(UInt(width.W)))
  val out = IO(Output(UInt(width.W)))
  val copies = Seq.fill(3)(RegNext(in, 0.U))
  val bits = for (i <- 0 until width) yield {
    val vote = Module(new InlineMajority)
    vote.io.a := copies(0)(i)
    vote.io.b := copies(1)(i)
    vote.io.c := copies(2)(i)
    vote.io.y
  }
  out := VecInit(bits).asUInt
}

class MultiplyAccumulate(width: Int = 8) extends Module {
  val io = IO(new Bundle {
    val a = Input(UInt(width.W))
    val b = Input(UInt(width.W))
    val sum = Output(UInt((2 * width + 4).W))
  })
  val multiplier = Module(new DspMultiplier(width))
  multiplier.io.clk := clock
  multiplier.io.a := io.a
  multiplier.io.b := io.b
  val sum = RegInit(0.U((2 * width + 4).W))
  sum := sum + multiplier.io.p
  io.sum := sum
}
