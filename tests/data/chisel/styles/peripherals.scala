// Peripherals in the older style: one io bundle, literals with explicit widths.
import chisel3._
import chisel3.util._

class Pwm(bits: Int = 8) extends Module {
  val io = IO(new Bundle {
    val duty = Input(UInt(bits.W))
    val enable = Input(Bool())
    val out = Output(Bool())
  })
  val counter = RegInit(0.U(bits.W))
  when(io.enable) {
    counter := counter +% 1.U
  }
  io.out := io.enable && (counter < io.duty)
}

class Watchdog(limit: Int = 1000) extends Module {
  val io = IO(new Bundle {
    val kick = Input(Bool())
    val bite = Output(Bool())
  })
  val left = RegInit(limit.U)
  val expired = left === 0.U
  left := Mux(io.kick, limit.U, Mux(expired, 0.U, left - 1.U))
  io.bite := expired
}

class SevenSegment extends Module {
  val io = IO(new Bundle {
    val digit = Input(UInt(4.W))
    val segments = Output(UInt(7.W))
  })
  val segments = WireDefault("b0000000".U(7.W))
  switch(io.digit) {
    is(0.U) { segments := "b0111111".U }
    is(1.U) { segments := "b0000110".U }
    is(2.U) { segments := "b1011011".U }
    is(3.U) { segments := "b1001111".U }
    is(4.U) { segments := "b1100110".U }
    is(5.U, 6.U) { segments := "b1101101".U | (io.digit === 6.U).asUInt << 4 }
    is(7.U) { segments := "b0000111".U }
    is(8.U) { segments := "b1111111".U }
    is(9.U) { segments := "b1101111".U }
  }
  io.segments := ~segments
}

class VgaTiming(
    hVisible: Int = 640,
    hFront: Int = 16,
    hSync: Int = 96,
    hBack: Int = 48,
    vVisible: Int = 480,
    vFront: Int = 10,
    vSync: Int = 2,
    vBack: Int = 33
) extends Module {
  private val hTotal = hVisible + hFront + hSync + hBack
  private val vTotal = vVisible + vFront + vSync + vBack
  val io = IO(new Bundle {
    val hsync = Output(Bool())
    val vsync = Output(Bool())
    val visible = Output(Bool())
    val x = Output(UInt(log2Ceil(hTotal).W))
    val y = Output(UInt(log2Ceil(vTotal).W))
  })
  val (x, endOfLine) = Counter(true.B, hTotal)
  val (y, _) = Counter(endOfLine, vTotal)
  io.hsync := !(x >= (hVisible + hFront).U && x < (hVisible + hFront + hSync).U)
  io.vsync := !(y >= (vVisible + vFront).U && y < (vVisible + vFront + vSync).U)
  io.visible := x < hVisible.U && y < vVisible.U
  io.x := x
  io.y := y
}

class RotaryEncoder extends Module {
  val io = IO(new Bundle {
    val a = Input(Bool())
    val b = Input(Bool())
    val position = Output(SInt(16.W))
  })
  val a = ShiftRegister(io.a, 3)
  val b = ShiftRegister(io.b, 3)
  val lastA = RegNext(a)
  val position = RegInit(0.S(16.W))
  when(a && !lastA) {
    when(b) { position := position - 1.S }.otherwise { position := position + 1.S }
  }
  io.position := position
}

class InterruptController(sources: Int = 8) extends Module {
  val io = IO(new Bundle {
    val lines = Input(UInt(sources.W))
    val enable = Input(UInt(sources.W))
    val claim = Input(Bool())
    val irq = Output(Bool())
    val id = Output(UInt(log2Ceil(sources).W))
  })
  val pending = RegInit(0.U(sources.W))
  val active = pending & io.enable
  val id = PriorityEncoder(active)
  val claimed = Mux(io.claim && active.orR, UIntToOH(id, sources), 0.U)
  pending := (pending | io.lines) & ~claimed
  io.irq := active.orR
  io.id := id
}
