package memories

import chisel3._
import chisel3.util._

class SimpleRam(depth: Int = 256, width: Int = 32) extends Module {
  val io = IO(new Bundle {
    val readAddress = Input(UInt(log2Ceil(depth).W))
    val readData = Output(UInt(width.W))
    val writeEnable = Input(Bool())
    val writeAddress = Input(UInt(log2Ceil(depth).W))
    val writeData = Input(UInt(width.W))
  })
  val mem = SyncReadMem(depth, UInt(width.W))
  when(io.writeEnable) {
    mem.write(io.writeAddress, io.writeData)
  }
  io.readData := mem.read(io.readAddress, true.B)
}

class MaskedRam(depth: Int = 64, bytes: Int = 4) extends Module {
  val addr = IO(Input(UInt(log2Ceil(depth).W)))
  val wen = IO(Input(Bool()))
  val strobe = IO(Input(UInt(bytes.W)))
  val wdata = IO(Input(UInt((8 * bytes).W)))
  val rdata = IO(Output(UInt((8 * bytes).W)))

  val mem = SyncReadMem(depth, Vec(bytes, UInt(8.W)), SyncReadMem.ReadFirst)
  when(wen) {
    mem.write(addr, wdata.asTypeOf(Vec(bytes, UInt(8.W))), strobe.asBools)
  }
  rdata := mem.read(addr, !wen).asUInt
}

class RegisterFile(xlen: Int = 32) extends Module {
  val io = IO(new Bundle {
    val rs1 = Input(UInt(5.W))
    val rs2 = Input(UInt(5.W))
    val rd = Input(UInt(5.W))
    val wen = Input(Bool())
    val wdata = Input(UInt(xlen.W))
    val rdata1 = Output(UInt(xlen.W))
    val rdata2 = Output(UInt(xlen.W))
  })
  val regs = Mem(32, UInt(xlen.W))
  def read(address: UInt): UInt = Mux(address === 0.U, 0.U, regs(address))
  io.rdata1 := read(io.rs1)
  io.rdata2 := read(io.rs2)
  when(io.wen && io.rd =/= 0.U) { regs(io.rd) := io.wdata }
}

class SineRom(points: Int = 16, amplitude: Int = 127) extends Module {
  val io = IO(new Bundle {
    val phase = Input(UInt(log2Ceil(points).W))
    val sample = Output(SInt(8.W))
  })
  val table = VecInit(Seq.tabulate(points) { i =>
    math.round(amplitude * math.sin(2 * math.Pi * i / points)).toInt.S(8.W)
  })
  io.sample := RegNext(table(io.phase))
}

class LineBuffer(columns: Int = 32, rows: Int = 3, width: Int = 8) extends Module {
  val io = IO(new Bundle {
    val pixel = Flipped(Valid(UInt(width.W)))
    val window = Output(Vec(rows, UInt(width.W)))
  })
  val (column, _) = Counter(io.pixel.valid, columns)
  val lines = Seq.fill(rows - 1)(SyncReadMem(columns, UInt(width.W)))
  val next = Mux(column === (columns - 1).U, 0.U, column + 1.U)
  val taps = lines.scanLeft(io.pixel.bits) { (above, line) =>
    val old = line.read(next, io.pixel.valid)
    when(io.pixel.valid) { line.write(column, above) }
    old
  }
  for ((sink, tap) <- io.window.zip(taps)) sink := tap
}

class DirectMappedTags(sets: Int = 16, tagBits: Int = 20) extends Module {
  class Entry extends Bundle {
    val valid = Bool()
    val tag = UInt(tagBits.W)
  }
  val io = IO(new Bundle {
    val lookup = Flipped(Valid(UInt((log2Ceil(sets) + tagBits).W)))
    val refill = Input(Bool())
    val flush = Input(Bool())
    val hit = Output(Bool())
  })
  val tags = RegInit(VecInit(Seq.fill(sets)(0.U.asTypeOf(new Entry))))
  val index = io.lookup.bits(log2Ceil(sets) - 1, 0)
  val tag = io.lookup.bits >> log2Ceil(sets)
  val entry = tags(index)
  io.hit := io.lookup.valid && entry.valid && entry.tag === tag
  when(io.flush) {
    tags.foreach(_.valid := false.B)
  }.elsewhen(io.refill && io.lookup.valid) {
    entry.valid := true.B
    entry.tag := tag
  }
}
