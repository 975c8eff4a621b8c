package buses

import chisel3._
import chisel3.util._

case class BusParams(addrBits: Int = 8, dataBits: Int = 32) {
  require(dataBits % 8 == 0)
  def strobeBits: Int = dataBits / 8
}

trait HasBusParams {
  def params: BusParams
  def addrBits: Int = params.addrBits
  def dataBits: Int = params.dataBits
}

class ApbBundle(val params: BusParams) extends Bundle with HasBusParams {
  val psel = Output(Bool())
  val penable = Output(Bool())
  val pwrite = Output(Bool())
  val paddr = Output(UInt(addrBits.W))
  val pwdata = Output(UInt(dataBits.W))
  val prdata = Input(UInt(dataBits.W))
  val pready = Input(Bool())
}

class AxiLiteBundle(val params: BusParams) extends Bundle with HasBusParams {
  class Address extends Bundle {
    val addr = UInt(addrBits.W)
    val prot = UInt(3.W)
  }
  class Write extends Bundle {
    val data = UInt(dataBits.W)
    val strb = UInt(params.strobeBits.W)
  }
  class Read extends Bundle {
    val data = UInt(dataBits.W)
    val resp = UInt(2.W)
  }
  val aw = Decoupled(new Address)
  val w = Decoupled(new Write)
  val b = Flipped(Decoupled(UInt(2.W)))
  val ar = Decoupled(new Address)
  val r = Flipped(Decoupled(new Read))
}

class ApbTimer(val params: BusParams = BusParams()) extends Module with HasBusParams {
  val bus = IO(Flipped(new ApbBundle(params)))
  val interrupt = IO(Output(Bool()))

  val count = RegInit(0.U(dataBits.W))
  val limit = RegInit(0.U(dataBits.W))
  val enabled = RegInit(false.B)
  val pending = RegInit(false.B)

  when(enabled) {
    count := count + 1.U
    when(count === limit) {
      count := 0.U
      pending := true.B
    }
  }
  val write = bus.psel && bus.penable && bus.pwrite
  when(write) {
    switch(bus.paddr) {
      is(0x0.U) { limit := bus.pwdata }
      is(0x4.U) { enabled := bus.pwdata(0) }
      is(0x8.U) { pending := pending && !bus.pwdata(0) }
    }
  }
  bus.pready := true.B
  bus.prdata := MuxLookup(bus.paddr, 0.U)(
    Seq(0x0.U -> limit, 0x4.U -> enabled.asUInt, 0x8.U -> pending.asUInt, 0xc.U -> count)
  )
  interrupt := pending
}

class AxiLiteRegisters(registers: Int = 4, params: BusParams = BusParams()) extends Module {
  val axi = IO(Flipped(new AxiLiteBundle(params)))
  val values = IO(Output(Vec(registers, UInt(params.dataBits.W))))

  private val regs = RegInit(VecInit(Seq.fill(registers)(0.U(params.dataBits.W))))
  private val index = log2Ceil(registers)

  // writes need address and data in the same cycle
  private val writeNow = axi.aw.valid && axi.w.valid && axi.b.ready
  axi.aw.ready := writeNow
  axi.w.ready := writeNow
  axi.b.valid := writeNow
  axi.b.bits := 0.U
  when(writeNow) {
    val target = regs(axi.aw.bits.addr(index + 1, 2))
    val bytes = VecInit((0 until params.strobeBits).map { i =>
      Mux(axi.w.bits.strb(i), axi.w.bits.data(8 * i + 7, 8 * i), target(8 * i + 7, 8 * i))
    })
    target := bytes.asUInt
  }

  private val readValid = RegInit(false.B)
  private val readData = Reg(UInt(params.dataBits.W))
  axi.ar.ready := !readValid || axi.r.ready
  when(axi.ar.fire) {
    readValid := true.B
    readData := regs(axi.ar.bits.addr(index + 1, 2))
  }.elsewhen(axi.r.ready) {
    readValid := false.B
  }
  axi.r.valid := readValid
  axi.r.bits.data := readData
  axi.r.bits.resp := 0.U
  values := regs
}

class WishboneIo(width: Int) extends Bundle {
  val cyc = Input(Bool())
  val stb = Input(Bool())
  val we = Input(Bool())
  val dat_i = Input(UInt(width.W))
  val dat_o = Output(UInt(width.W))
  val ack = Output(Bool())
}

class WishboneGpio(width: Int = 16) extends Module {
  val io = IO(new Bundle {
    val wb = new WishboneIo(width)
    val pinsIn = Input(UInt(width.W))
    val pinsOut = Output(UInt(width.W))
  })
  val out = RegInit(0.U(width.W))
  val ack = RegNext(io.wb.cyc && io.wb.stb, false.B)
  when(io.wb.cyc && io.wb.stb && io.wb.we) { out := io.wb.dat_i }
  io.wb.ack := ack
  io.wb.dat_o := RegNext(io.pinsIn)
  io.pinsOut := out
}

class ApbToRegister(val params: BusParams = BusParams()) extends Module with HasBusParams {
  val io = IO(new Bundle {
    val request = Flipped(Decoupled(new Bundle {
      val address = UInt(addrBits.W)
      val write = Bool()
      val data = UInt(dataBits.W)
    }))
    val response = Valid(UInt(dataBits.W))
    val apb = new ApbBundle(params)
  })
  val setup :: access :: Nil = Enum(2)
  val state = RegInit(setup)
  io.apb.psel := io.request.valid
  io.apb.penable := state === access
  io.apb.pwrite := io.request.bits.write
  io.apb.paddr := io.request.bits.address
  io.apb.pwdata := io.request.bits.data
  val finished = state === access && io.apb.pready
  io.request.ready := finished
  io.response.valid := finished && !io.request.bits.write
  io.response.bits := io.apb.prdata
  when(state === setup && io.request.valid) { state := access }.elsewhen(finished) { state := setup }
}
