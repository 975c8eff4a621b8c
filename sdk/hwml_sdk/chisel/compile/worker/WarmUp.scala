package hwml.worker

import chisel3._
import chisel3.util._

/** Elaborated once at start, so that the first check finds Chisel loaded. */
class WarmUp extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(UInt(8.W)))
    val out = Decoupled(UInt(8.W))
    val pick = Input(UInt(2.W))
    val value = Output(UInt(8.W))
  })
  val table = VecInit(Seq(1.U(8.W), 2.U(8.W), 3.U(8.W), 4.U(8.W)))
  val state = RegInit(0.U(8.W))
  val memory = SyncReadMem(16, UInt(8.W))
  when(io.in.fire) { memory.write(state(3, 0), io.in.bits); state := state +% 1.U }.otherwise { state := Mux(io.pick.orR, state, 0.U) }
  switch(io.pick) { is(0.U) { state := Cat(io.pick, io.pick) } }
  io.out <> Queue(io.in, 2)
  io.value := table(io.pick) + memory.read(state(3, 0))
}
