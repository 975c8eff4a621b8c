import chisel3._
import chisel3.util._

class FixedPriority(n: Int = 4) extends Module {
  val request = IO(Input(UInt(n.W)))
  val grant = IO(Output(UInt(n.W)))
  val any = IO(Output(Bool()))

  grant := PriorityEncoderOH(request)
  any := request.orR
}

class RoundRobin(val n: Int = 4) extends Module {
  val io = IO(new Bundle {
    val request = Input(Vec(n, Bool()))
    val grant = Output(Vec(n, Bool()))
  })
  val mask = RegInit(0.U(n.W))
  val wanted = io.request.asUInt
  val masked = wanted & mask
  val picked = Mux(masked.orR, PriorityEncoderOH(masked), PriorityEncoderOH(wanted))
  when(wanted.orR) {
    mask := ~(picked | (picked - 1.U))
  }
  io.grant := picked.asBools
}

class Crossbar(inputs: Int = 3, outputs: Int = 2, width: Int = 8) extends Module {
  class Flit extends Bundle {
    val dest = UInt(log2Ceil(outputs).W)
    val payload = UInt(width.W)
  }
  val io = IO(new Bundle {
    val in = Vec(inputs, Flipped(Decoupled(new Flit)))
    val out = Vec(outputs, Decoupled(new Flit))
  })
  val arbiters = Seq.fill(outputs)(Module(new RRArbiter(new Flit, inputs)))
  io.in.foreach(_.ready := false.B)
  for ((arbiter, o) <- arbiters.zipWithIndex) {
    for (i <- 0 until inputs) {
      val here = io.in(i).bits.dest === o.U
      arbiter.io.in(i).valid := io.in(i).valid && here
      arbiter.io.in(i).bits := io.in(i).bits
      when(here) { io.in(i).ready := arbiter.io.in(i).ready }
    }
    io.out(o) <> arbiter.io.out
  }
}

class Demux(n: Int = 4) extends Module {
  val io = IO(new Bundle {
    val select = Input(UInt(log2Ceil(n).W))
    val in = Flipped(Valid(UInt(8.W)))
    val out = Vec(n, Valid(UInt(8.W)))
  })
  for (i <- 0 until n) {
    io.out(i).valid := io.in.valid && io.select === i.U
    io.out(i).bits := io.in.bits
  }
}

class MatrixArbiter(n: Int = 3) extends Module {
  val io = IO(new Bundle {
    val request = Input(UInt(n.W))
    val grant = Output(UInt(n.W))
  })
  // older(i)(j): i was served longer ago than j
  val older = RegInit(VecInit.tabulate(n, n) { (i, j) => (i < j).B })
  val grants = Wire(Vec(n, Bool()))
  for (i <- 0 until n) {
    val beaten = (0 until n).filter(_ != i).map(j => io.request(j) && older(j)(i))
    grants(i) := io.request(i) && !beaten.reduce(_ || _)
  }
  for (i <- 0 until n; j <- 0 until n if i != j) {
    when(grants(i)) {
      older(i)(j) := false.B
      older(j)(i) := true.B
    }
  }
  io.grant := grants.asUInt
}
