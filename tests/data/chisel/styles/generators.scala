package generators

import chisel3._
import chisel3.util._
import chisel3.experimental.hierarchy.{instantiable, public, Definition, Instance}

final case class CoreConfig(lanes: Int = 2, width: Int = 8, hasParity: Boolean = true)

abstract class Reducer[T <: Data](gen: T, n: Int) extends Module {
  val in = IO(Input(Vec(n, gen)))
  val out = IO(Output(gen))
  def combine(a: T, b: T): T
  protected def tree(values: Seq[T]): T =
    if (values.length == 1) values.head
    else {
      val (left, right) = values.splitAt(values.length / 2)
      combine(tree(left), tree(right))
    }
}

class MaxReducer(n: Int = 5, width: Int = 8) extends Reducer(UInt(width.W), n) {
  def combine(a: UInt, b: UInt): UInt = Mux(a > b, a, b)
  out := tree(in)
}

class XorReducer(n: Int = 4, width: Int = 8) extends Reducer(UInt(width.W), n) {
  def combine(a: UInt, b: UInt): UInt = a ^ b
  out := tree(in)
}

object Max {
  def apply(values: UInt*): UInt = {
    val unit = Module(new MaxReducer(values.length, values.map(_.getWidth).max))
    unit.in.zip(values).foreach { case (port, value) => port := value }
    unit.out
  }
}

class Lane(config: CoreConfig) extends Module {
  val in = IO(Flipped(Valid(UInt(config.width.W))))
  val out = IO(Valid(UInt(config.width.W)))
  val parity = Option.when(config.hasParity)(IO(Output(Bool())))
  out := Pipe(in, 2)
  parity.foreach(_ := out.bits.xorR)
}

class Core(config: CoreConfig = CoreConfig()) extends Module {
  val in = IO(Vec(config.lanes, Flipped(Valid(UInt(config.width.W)))))
  val best = IO(Output(UInt(config.width.W)))
  val odd = IO(Output(Bool()))
  val lanes = in.map { port =>
    val lane = Module(new Lane(config))
    lane.in := port
    lane
  }
  best := Max(lanes.map(_.out.bits): _*)
  odd := lanes.flatMap(_.parity).foldLeft(false.B)(_ ^ _)
}

@instantiable
class Stage(width: Int) extends Module {
  @public val in = IO(Input(UInt(width.W)))
  @public val out = IO(Output(UInt(width.W)))
  out := RegNext(in + 1.U)
}

class Chain(n: Int = 3, width: Int = 8) extends Module {
  val in = IO(Input(UInt(width.W)))
  val out = IO(Output(UInt(width.W)))
  val definition = Definition(new Stage(width))
  out := Seq.fill(n)(Instance(definition)).foldLeft(in) { (value, stage) =>
    stage.in := value
    stage.out
  }
}

class MixedPorts(widths: Seq[Int] = Seq(3, 5, 9)) extends Module {
  val in = IO(Input(MixedVec(widths.map(w => UInt(w.W)))))
  val sum = IO(Output(UInt((widths.max + 2).W)))
  val kept = dontTouch(RegNext(in))
  sum := kept.map(_.asUInt).reduce((a, b) => a +& b)
}

class Accumulators(n: Int = 4)(implicit config: CoreConfig = CoreConfig()) extends Module {
  val io = IO(new Bundle {
    val which = Input(UInt(log2Ceil(n).W))
    val add = Input(UInt(config.width.W))
    val totals = Output(Vec(n, UInt((config.width + 8).W)))
  })
  val totals = RegInit(VecInit.fill(n)(0.U((config.width + 8).W)))
  totals(io.which) := totals(io.which) + io.add
  io.totals := totals
}
