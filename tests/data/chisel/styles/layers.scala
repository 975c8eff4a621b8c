// Chisel 7: layers keep what only verification needs out of the design.
import chisel3._
import chisel3.layer.{block, Layer, LayerConfig}
import chisel3.util._

object Checks extends Layer(LayerConfig.Extract()) {
  object Trace extends Layer(LayerConfig.Extract())
}

class CheckedCounter(limit: Int = 10) extends Module {
  val enable = IO(Input(Bool()))
  val value = IO(Output(UInt(4.W)))
  val count = RegInit(0.U(4.W))
  when(enable) { count := Mux(count === (limit - 1).U, 0.U, count + 1.U) }
  value := count
  block(Checks) {
    val last = RegNext(count)
    assert(count < limit.U, "the counter left its range")
    block(Checks.Trace) {
      when(last =/= count) { printf(cf"count = $count\n") }
    }
  }
}

class CheckedQueue extends Module {
  val in = IO(Flipped(Decoupled(UInt(8.W))))
  val out = IO(Decoupled(UInt(8.W)))
  out :<>= Queue(in, 4)
  block(Checks) {
    val inFlight = RegInit(0.U(4.W))
    inFlight := inFlight + in.fire.asUInt - out.fire.asUInt
    assert(inFlight <= 4.U)
    cover(inFlight === 4.U)
  }
}
