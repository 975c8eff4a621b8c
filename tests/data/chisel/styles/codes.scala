import chisel3._
import chisel3.util._
import chisel3.util.random.LFSR

class Crc32 extends Module {
  val io = IO(new Bundle {
    val data = Flipped(Valid(UInt(8.W)))
    val init = Input(Bool())
    val crc = Output(UInt(32.W))
  })
  val polynomial = "hedb88320".U(32.W)
  val crc = RegInit("hffffffff".U(32.W))
  val next = (0 until 8).foldLeft(crc ^ io.data.bits) { (value, _) =>
    (value >> 1) ^ Mux(value(0), polynomial, 0.U)
  }
  when(io.init) { crc := "hffffffff".U }.elsewhen(io.data.valid) { crc := next }
  io.crc := ~crc
}

class Scrambler(width: Int = 8) extends Module {
  val in = IO(Input(UInt(width.W)))
  val out = IO(Output(UInt(width.W)))
  out := in ^ LFSR(16)(width - 1, 0)
}

class HammingEncoder extends RawModule {
  val data = IO(Input(UInt(4.W)))
  val code = IO(Output(UInt(7.W)))
  val p1 = data(0) ^ data(1) ^ data(3)
  val p2 = data(0) ^ data(2) ^ data(3)
  val p4 = data(1) ^ data(2) ^ data(3)
  code := Cat(data(3, 1), p4, data(0), p2, p1)
}

class HammingDecoder extends Module {
  val io = IO(new Bundle {
    val code = Input(UInt(7.W))
    val data = Output(UInt(4.W))
    val corrected = Output(Bool())
  })
  val bits = io.code.asBools
  val groups = Seq(1, 2, 4).map(p => (1 to 7).filter(i => (i & p) != 0).map(i => bits(i - 1)).reduce(_ ^ _))
  val syndrome = Cat(groups.reverse)
  val flip = Mux(syndrome === 0.U, 0.U(7.W), (UIntToOH(syndrome, 8) >> 1)(6, 0))
  val fixed = io.code ^ flip
  io.data := Cat(fixed(6, 4), fixed(2))
  io.corrected := syndrome.orR
}

class SubstitutionBox extends Module {
  val in = IO(Input(UInt(16.W)))
  val out = IO(Output(UInt(16.W)))
  private val table = Seq(12, 5, 6, 11, 9, 0, 10, 13, 3, 14, 15, 8, 4, 7, 1, 2)
  private val box = VecInit(table.map(_.U(4.W)))
  private val nibbles = in.asTypeOf(Vec(4, UInt(4.W)))
  out := VecInit(nibbles.map(n => box(n))).asUInt
}

class RunLengthEncoder(width: Int = 8, countBits: Int = 4) extends Module {
  class Run extends Bundle {
    val symbol = UInt(width.W)
    val length = UInt(countBits.W)
  }
  val io = IO(new Bundle {
    val in = Flipped(Valid(UInt(width.W)))
    val out = Valid(new Run)
  })
  val current = Reg(UInt(width.W))
  val length = RegInit(0.U(countBits.W))
  val same = current === io.in.bits && !length.andR
  io.out.valid := io.in.valid && length =/= 0.U && !same
  io.out.bits.symbol := current
  io.out.bits.length := length
  when(io.in.valid) {
    current := io.in.bits
    length := Mux(same && length =/= 0.U, length + 1.U, 1.U)
  }
}
