package streams

import chisel3._
import chisel3.util._

/** A register stage between two handshakes; holds one word when the receiver stalls. */
class SkidBuffer[T <: Data](gen: T = UInt(16.W)) extends Module {
  val in = IO(Flipped(Decoupled(gen)))
  val out = IO(Decoupled(gen))

  val full = RegInit(false.B)
  val held = Reg(chiselTypeOf(in.bits))

  in.ready := !full
  out.valid := full || in.valid
  out.bits := Mux(full, held, in.bits)

  when(in.valid && !out.ready && !full) {
    held := in.bits
    full := true.B
  }.elsewhen(out.ready) {
    full := false.B
  }
}

class RegFifo(width: Int = 8, depth: Int = 4) extends Module {
  require(depth > 1 && isPow2(depth), "depth must be a power of two")
  val io = IO(new Bundle {
    val enq = Flipped(Decoupled(UInt(width.W)))
    val deq = Decoupled(UInt(width.W))
    val count = Output(UInt(log2Ceil(depth + 1).W))
  })
  private val slots = Reg(Vec(depth, UInt(width.W)))
  private val head = Counter(depth)
  private val tail = Counter(depth)
  private val maybeFull = RegInit(false.B)
  private val same = head.value === tail.value
  private val empty = same && !maybeFull
  private val full = same && maybeFull

  io.enq.ready := !full
  io.deq.valid := !empty
  io.deq.bits := slots(tail.value)
  when(io.enq.fire) {
    slots(head.value) := io.enq.bits
    head.inc()
  }
  when(io.deq.fire) { tail.inc() }
  when(io.enq.fire =/= io.deq.fire) { maybeFull := io.enq.fire }
  io.count := Mux(full, depth.U, (head.value - tail.value)(log2Ceil(depth) - 1, 0))
}

/** Gathers `ratio` narrow words into a wide one, lowest first. */
class Upsizer(narrow: Int = 8, ratio: Int = 4) extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(UInt(narrow.W)))
    val out = Decoupled(UInt((narrow * ratio).W))
  })
  val parts = Reg(Vec(ratio - 1, UInt(narrow.W)))
  val (index, last) = Counter(io.in.fire, ratio)
  val isLast = index === (ratio - 1).U

  io.in.ready := !isLast || io.out.ready
  io.out.valid := isLast && io.in.valid
  io.out.bits := Cat(io.in.bits, parts.asUInt)
  when(io.in.fire && !last) {
    for (i <- 0 until ratio - 1) {
      when(index === i.U) { parts(i) := io.in.bits }
    }
  }
}

class Downsizer(narrow: Int = 8, ratio: Int = 4) extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(UInt((narrow * ratio).W)))
    val out = Decoupled(UInt(narrow.W))
  })
  val beat = RegInit(0.U(log2Ceil(ratio).W))
  val words = io.in.bits.asTypeOf(Vec(ratio, UInt(narrow.W)))
  val lastBeat = beat === (ratio - 1).U
  io.out.valid := io.in.valid
  io.out.bits := words(beat)
  io.in.ready := io.out.ready && lastBeat
  when(io.out.fire) { beat := Mux(lastBeat, 0.U, beat + 1.U) }
}

class Packet extends Bundle {
  val data = UInt(32.W)
  val keep = UInt(4.W)
  val last = Bool()
}

/** Counts packets and drops those that a rule forbids. */
class PacketFilter extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(new Packet))
    val out = Decoupled(new Packet)
    val forbid = Input(UInt(8.W))
    val dropped = Output(UInt(16.W))
  })
  val inPacket = RegInit(false.B)
  val dropping = RegInit(false.B)
  val dropped = RegInit(0.U(16.W))

  val first = io.in.valid && !inPacket
  val dropNow = Mux(first, io.in.bits.data(7, 0) === io.forbid, dropping)

  io.out.bits := io.in.bits
  io.out.valid := io.in.valid && !dropNow
  io.in.ready := io.out.ready || dropNow
  when(io.in.fire) {
    inPacket := !io.in.bits.last
    dropping := dropNow
    when(io.in.bits.last && dropNow) { dropped := dropped + 1.U }
  }
  io.dropped := dropped
}

class Broadcast(n: Int = 3) extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(UInt(8.W)))
    val out = Vec(n, Decoupled(UInt(8.W)))
  })
  val done = RegInit(VecInit(Seq.fill(n)(false.B)))
  val all = io.out.zip(done).map { case (port, seen) => port.ready || seen }.reduce(_ && _)
  io.in.ready := all
  for ((port, seen) <- io.out.zip(done)) {
    port.valid := io.in.valid && !seen
    port.bits := io.in.bits
    when(io.in.fire) { seen := false.B }.elsewhen(port.fire) { seen := true.B }
  }
}

class PipelineOfQueues(stages: Int = 3) extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(UInt(12.W)))
    val out = Decoupled(UInt(12.W))
    val level = Output(Vec(stages, UInt(2.W)))
  })
  val queues = Seq.fill(stages)(Module(new Queue(UInt(12.W), 2)))
  queues.head.io.enq <> io.in
  for ((left, right) <- queues.zip(queues.tail)) {
    right.io.enq <> left.io.deq
  }
  io.out <> queues.last.io.deq
  io.level := VecInit(queues.map(_.io.count))
}
