import chisel3._
import chisel3.util._

class ProcessingElement(inBits: Int, accBits: Int) extends Module {
  val io = IO(new Bundle {
    val west = Input(SInt(inBits.W))
    val north = Input(SInt(inBits.W))
    val clear = Input(Bool())
    val east = Output(SInt(inBits.W))
    val south = Output(SInt(inBits.W))
    val acc = Output(SInt(accBits.W))
  })
  val acc = RegInit(0.S(accBits.W))
  acc := Mux(io.clear, 0.S, acc + io.west * io.north)
  io.east := RegNext(io.west)
  io.south := RegNext(io.north)
  io.acc := acc
}

class SystolicArray(n: Int = 3, inBits: Int = 8, accBits: Int = 24) extends Module {
  val io = IO(new Bundle {
    val west = Input(Vec(n, SInt(inBits.W)))
    val north = Input(Vec(n, SInt(inBits.W)))
    val clear = Input(Bool())
    val result = Output(Vec(n, Vec(n, SInt(accBits.W))))
  })
  val grid = Seq.fill(n, n)(Module(new ProcessingElement(inBits, accBits)))
  for (r <- 0 until n; c <- 0 until n) {
    val pe = grid(r)(c)
    pe.io.west := (if (c == 0) io.west(r) else grid(r)(c - 1).io.east)
    pe.io.north := (if (r == 0) io.north(c) else grid(r - 1)(c).io.south)
    pe.io.clear := io.clear
    io.result(r)(c) := pe.io.acc
  }
}

class Fir(coefficients: Seq[Int] = Seq(1, -3, 5, -3, 1), width: Int = 8) extends Module {
  val io = IO(new Bundle {
    val in = Input(SInt(width.W))
    val enable = Input(Bool())
    val out = Output(SInt((width + 8).W))
  })
  val zs = Reg(Vec(coefficients.length, SInt(width.W)))
  when(io.enable) {
    zs(0) := io.in
    for (i <- 1 until coefficients.length) zs(i) := zs(i - 1)
  }
  val products = zs.zip(coefficients).map { case (z, c) => z * c.S(8.W) }
  io.out := products.reduce(_ +& _)
}

class CompareSwap[T <: Bits with Num[T]](gen: T) extends RawModule {
  val a, b = IO(Input(gen))
  val low, high = IO(Output(gen))
  val swap = a > b
  low := Mux(swap, b, a)
  high := Mux(swap, a, b)
}

class BitonicSort4(width: Int = 8) extends Module {
  val in = IO(Input(Vec(4, UInt(width.W))))
  val out = IO(Output(Vec(4, UInt(width.W))))
  private def swap(x: UInt, y: UInt): (UInt, UInt) = {
    val unit = Module(new CompareSwap(UInt(width.W)))
    unit.a := x
    unit.b := y
    (unit.low, unit.high)
  }
  private val (a0, a1) = swap(in(0), in(1))
  private val (b1, b0) = swap(in(2), in(3))
  private val (c0, c2) = swap(a0, b0)
  private val (c1, c3) = swap(a1, b1)
  private val (d0, d1) = swap(c0, c1)
  private val (d2, d3) = swap(c2, c3)
  out := VecInit(d0, d1, d2, d3)
}

class Transposer(n: Int = 4, width: Int = 8) extends Module {
  val io = IO(new Bundle {
    val row = Flipped(Decoupled(Vec(n, UInt(width.W))))
    val column = Decoupled(Vec(n, UInt(width.W)))
  })
  val matrix = Reg(Vec(n, Vec(n, UInt(width.W))))
  val filling = RegInit(true.B)
  val (_, wrapped) = Counter(io.row.fire || io.column.fire, n)
  when(wrapped) { filling := !filling }
  io.row.ready := filling
  io.column.valid := !filling
  io.column.bits := VecInit(matrix.map(_.head))
  when(io.row.fire) {
    for (i <- 1 until n) matrix(i - 1) := matrix(i)
    matrix(n - 1) := io.row.bits
  }
  when(io.column.fire) {
    for (r <- 0 until n; c <- 1 until n) matrix(r)(c - 1) := matrix(r)(c)
  }
}

class Histogram(bins: Int = 8, width: Int = 16) extends Module {
  val io = IO(new Bundle {
    val sample = Flipped(Valid(UInt(log2Ceil(bins).W)))
    val clear = Input(Bool())
    val counts = Output(Vec(bins, UInt(width.W)))
  })
  val counts = Seq.tabulate(bins) { i =>
    val count = RegInit(0.U(width.W)).suggestName(s"bin_$i")
    when(io.clear) {
      count := 0.U
    }.elsewhen(io.sample.valid && io.sample.bits === i.U && !count.andR) {
      count := count + 1.U
    }
    count
  }
  io.counts.zip(counts).foreach { case (port, count) => port := count }
}
