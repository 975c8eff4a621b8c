import chisel3._
import chisel3.util._

class CheckedHandshake extends Module {
  val in = IO(Flipped(Decoupled(UInt(8.W))))
  val out = IO(Decoupled(UInt(8.W)))
  val held = RegInit(false.B)
  val data = Reg(UInt(8.W))
  in.ready := !held
  out.valid := held
  out.bits := data
  when(in.fire) {
    held := true.B
    data := in.bits
  }
  when(out.fire) { held := false.B }
  val wasWaiting = RegNext(out.valid && !out.ready, false.B)
  val before = RegNext(out.bits)
  assert(!wasWaiting || out.bits === before, "data changed while it waited")
  assume(!in.valid || in.bits =/= 255.U)
  cover(out.fire)
  when(out.fire) { printf(p"sent ${Hexadecimal(out.bits)}\n") }
}

class BulkConnections extends Module {
  class Channel extends Bundle {
    val request = Decoupled(UInt(8.W))
    val response = Flipped(Valid(UInt(8.W)))
  }
  val left = IO(Flipped(new Channel))
  val right = IO(Vec(2, new Channel))
  val select = RegInit(0.U(1.W))
  right.foreach { port =>
    port.request.valid := false.B
    port.request.bits := left.request.bits
  }
  right(select).request.valid := left.request.valid
  left.request.ready := right(select).request.ready
  left.response := right(select).response
  when(left.request.fire) { select := ~select }
}
