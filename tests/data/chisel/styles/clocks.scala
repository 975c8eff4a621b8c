import chisel3._
import chisel3.util._

/** Two flip-flops in the receiving domain. */
class Synchronizer(width: Int = 1) extends RawModule {
  val clock = IO(Input(Clock()))
  val in = IO(Input(UInt(width.W)))
  val out = IO(Output(UInt(width.W)))
  withClock(clock) {
    out := RegNext(RegNext(in))
  }
}

class GrayCounter(width: Int) extends Module {
  val enable = IO(Input(Bool()))
  val binary = IO(Output(UInt(width.W)))
  val gray = IO(Output(UInt(width.W)))
  private val count = RegInit(0.U(width.W))
  private val next = count + enable.asUInt
  count := next
  binary := count
  gray := RegNext(next ^ (next >> 1), 0.U)
}

class TwoClockFifo(width: Int = 8, addressBits: Int = 3) extends RawModule {
  val writeClock = IO(Input(Clock()))
  val writeReset = IO(Input(AsyncReset()))
  val readClock = IO(Input(Clock()))
  val readReset = IO(Input(AsyncReset()))
  val enq = IO(Flipped(Decoupled(UInt(width.W))))
  val deq = IO(Decoupled(UInt(width.W)))

  private val readGrayInWrite = Wire(UInt((addressBits + 1).W))
  private val memory = withClock(writeClock) { Mem(1 << addressBits, UInt(width.W)) }

  private val writeGray = withClockAndReset(writeClock, writeReset) {
    val counter = Module(new GrayCounter(addressBits + 1))
    val mask = (3 << (addressBits - 1)).U
    enq.ready := counter.gray =/= (readGrayInWrite ^ mask)
    counter.enable := enq.fire
    when(enq.fire) { memory(counter.binary(addressBits - 1, 0)) := enq.bits }
    counter.gray
  }
  private val readGray = withClockAndReset(readClock, readReset) {
    val counter = Module(new GrayCounter(addressBits + 1))
    val writeGrayInRead = RegNext(RegNext(writeGray, 0.U), 0.U)
    deq.valid := counter.gray =/= writeGrayInRead
    deq.bits := memory(counter.binary(addressBits - 1, 0))
    counter.enable := deq.fire
    counter.gray
  }
  withClockAndReset(writeClock, writeReset) {
    readGrayInWrite := RegNext(RegNext(readGray, 0.U), 0.U)
  }
}

class ClockDivider(by: Int = 4) extends Module {
  require(by % 2 == 0)
  val divided = IO(Output(Clock()))
  val (_, half) = Counter(true.B, by / 2)
  val level = RegInit(false.B)
  when(half) { level := !level }
  divided := level.asClock
}

class ResetStretcher(cycles: Int = 8) extends Module {
  val out = IO(Output(Bool()))
  withReset(reset.asAsyncReset) {
    val left = RegInit((cycles - 1).U(log2Ceil(cycles).W))
    when(left =/= 0.U) { left := left - 1.U }
    out := left =/= 0.U
  }
}

class PulseCrossing extends RawModule {
  val fromClock, toClock = IO(Input(Clock()))
  val reset = IO(Input(Bool()))
  val pulse = IO(Input(Bool()))
  val arrived = IO(Output(Bool()))
  val toggle = withClockAndReset(fromClock, reset) {
    val level = RegInit(false.B)
    level := level ^ pulse
    level
  }
  withClockAndReset(toClock, reset) {
    val synced = ShiftRegister(toggle, 2, false.B, true.B)
    arrived := synced ^ RegNext(synced, false.B)
  }
}
