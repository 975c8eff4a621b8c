package processor

import chisel3._
import chisel3.util._

object Instructions {
  val LUI = BitPat("b?????????????????????????0110111")
  val JAL = BitPat("b?????????????????????????1101111")
  val BEQ = BitPat("b?????????????????000?????1100011")
  val LW = BitPat("b?????????????????010?????0000011")
  val SW = BitPat("b?????????????????010?????0100011")
  val ADDI = BitPat("b?????????????????000?????0010011")
  val ADD = BitPat("b0000000??????????000?????0110011")
}

object ImmediateKind extends ChiselEnum {
  val none, i, s, b, u, j = Value
}

class ControlSignals extends Bundle {
  val legal = Bool()
  val writesRegister = Bool()
  val readsMemory = Bool()
  val writesMemory = Bool()
  val immediate = ImmediateKind()
}

class Decoder extends Module {
  import Instructions._
  val instruction = IO(Input(UInt(32.W)))
  val control = IO(Output(new ControlSignals))

  private val Y = true.B
  private val N = false.B
  private val default = List(N, N, N, N, ImmediateKind.none.asUInt)
  private val table = Array(
    LUI -> List(Y, Y, N, N, ImmediateKind.u.asUInt),
    JAL -> List(Y, Y, N, N, ImmediateKind.j.asUInt),
    BEQ -> List(Y, N, N, N, ImmediateKind.b.asUInt),
    LW -> List(Y, Y, Y, N, ImmediateKind.i.asUInt),
    SW -> List(Y, N, N, Y, ImmediateKind.s.asUInt),
    ADDI -> List(Y, Y, N, N, ImmediateKind.i.asUInt),
    ADD -> List(Y, Y, N, N, ImmediateKind.none.asUInt)
  )
  private val signals = ListLookup(instruction, default, table)
  control.legal := signals(0)
  control.writesRegister := signals(1)
  control.readsMemory := signals(2)
  control.writesMemory := signals(3)
  control.immediate := ImmediateKind.safe(signals(4))._1
}

class ImmediateGenerator extends Module {
  val io = IO(new Bundle {
    val inst = Input(UInt(32.W))
    val kind = Input(ImmediateKind())
    val value = Output(SInt(32.W))
  })
  val iType = io.inst(31, 20).asSInt
  val sType = Cat(io.inst(31, 25), io.inst(11, 7)).asSInt
  val bType = Cat(io.inst(31), io.inst(7), io.inst(30, 25), io.inst(11, 8), 0.U(1.W)).asSInt
  val uType = Cat(io.inst(31, 12), 0.U(12.W)).asSInt
  val jType = Cat(io.inst(31), io.inst(19, 12), io.inst(20), io.inst(30, 21), 0.U(1.W)).asSInt
  io.value := MuxLookup(io.kind, 0.S(32.W))(
    Seq(
      ImmediateKind.i -> iType,
      ImmediateKind.s -> sType,
      ImmediateKind.b -> bType,
      ImmediateKind.u -> uType,
      ImmediateKind.j -> jType
    )
  )
}

class ProgramCounter(resetVector: BigInt = BigInt("80000000", 16)) extends Module {
  val io = IO(new Bundle {
    val stall = Input(Bool())
    val redirect = Flipped(Valid(UInt(32.W)))
    val pc = Output(UInt(32.W))
  })
  val pc = RegInit(resetVector.U(32.W))
  when(io.redirect.valid) {
    pc := io.redirect.bits
  }.elsewhen(!io.stall) {
    pc := pc + 4.U
  }
  io.pc := pc
}

class HazardUnit extends Module {
  class Stage extends Bundle {
    val rd = UInt(5.W)
    val writes = Bool()
    val isLoad = Bool()
  }
  val io = IO(new Bundle {
    val rs = Input(Vec(2, UInt(5.W)))
    val execute = Input(new Stage)
    val memory = Input(new Stage)
    val stall = Output(Bool())
    val forward = Output(Vec(2, UInt(2.W)))
  })
  def matches(stage: Stage, rs: UInt): Bool = stage.writes && stage.rd =/= 0.U && stage.rd === rs
  io.stall := io.rs.map(rs => matches(io.execute, rs) && io.execute.isLoad).reduce(_ || _)
  for ((choice, rs) <- io.forward.zip(io.rs)) {
    choice := MuxCase(0.U, Seq(matches(io.execute, rs) -> 1.U, matches(io.memory, rs) -> 2.U))
  }
}

class BranchPredictor(entries: Int = 16) extends Module {
  private val index = log2Ceil(entries)
  val io = IO(new Bundle {
    val pc = Input(UInt(32.W))
    val taken = Output(Bool())
    val update = Flipped(Valid(new Bundle {
      val pc = UInt(32.W)
      val taken = Bool()
    }))
  })
  val counters = RegInit(VecInit(Seq.fill(entries)(1.U(2.W))))
  io.taken := counters(io.pc(index + 1, 2))(1)
  when(io.update.valid) {
    val counter = counters(io.update.bits.pc(index + 1, 2))
    when(io.update.bits.taken && counter =/= 3.U) {
      counter := counter + 1.U
    }.elsewhen(!io.update.bits.taken && counter =/= 0.U) {
      counter := counter - 1.U
    }
  }
}

class LoadAligner extends Module {
  val io = IO(new Bundle {
    val word = Input(UInt(32.W))
    val offset = Input(UInt(2.W))
    val size = Input(UInt(2.W))
    val signed = Input(Bool())
    val out = Output(UInt(32.W))
  })
  val shifted = io.word >> (io.offset << 3)
  val byte = shifted(7, 0)
  val half = shifted(15, 0)
  io.out := MuxLookup(io.size, io.word)(
    Seq(
      0.U -> Mux(io.signed, Cat(Fill(24, byte(7)), byte), byte),
      1.U -> Mux(io.signed, Cat(Fill(16, half(15)), half), half)
    )
  )
}
