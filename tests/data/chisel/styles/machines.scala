import chisel3._
import chisel3.util._

class TrafficLight(green: Int = 20, yellow: Int = 4) extends Module {
  object State extends ChiselEnum {
    val northGreen, northYellow, eastGreen, eastYellow = Value
  }
  val io = IO(new Bundle {
    val carsEast = Input(Bool())
    val north = Output(UInt(2.W))
    val east = Output(UInt(2.W))
  })
  import State._
  val state = RegInit(northGreen)
  val timer = RegInit(0.U(8.W))
  timer := timer + 1.U

  io.north := 0.U
  io.east := 0.U
  switch(state) {
    is(northGreen) {
      io.north := 2.U
      when(timer >= green.U && io.carsEast) { state := northYellow; timer := 0.U }
    }
    is(northYellow) {
      io.north := 1.U
      when(timer === yellow.U) { state := eastGreen; timer := 0.U }
    }
    is(eastGreen) {
      io.east := 2.U
      when(timer === green.U) { state := eastYellow; timer := 0.U }
    }
    is(eastYellow) {
      io.east := 1.U
      when(timer === yellow.U) { state := northGreen; timer := 0.U }
    }
  }
}

class UartTx(divider: Int = 16) extends Module {
  val io = IO(new Bundle {
    val data = Flipped(Decoupled(UInt(8.W)))
    val txd = Output(Bool())
  })
  val idle :: start :: data :: stop :: Nil = Enum(4)
  val state = RegInit(idle)
  val shift = Reg(UInt(8.W))
  val bit = RegInit(0.U(3.W))
  val (_, tick) = Counter(state =/= idle, divider)

  io.data.ready := state === idle
  io.txd := MuxLookup(state, true.B)(Seq(start -> false.B, data -> shift(0)))

  switch(state) {
    is(idle) {
      when(io.data.valid) {
        shift := io.data.bits
        state := start
      }
    }
    is(start) { when(tick) { state := data } }
    is(data) {
      when(tick) {
        shift := shift >> 1
        bit := bit + 1.U
        when(bit === 7.U) { state := stop }
      }
    }
    is(stop) { when(tick) { state := idle } }
  }
}

class UartRx(divider: Int = 16) extends Module {
  val io = IO(new Bundle {
    val rxd = Input(Bool())
    val data = Valid(UInt(8.W))
    val framingError = Output(Bool())
  })
  val rxd = ShiftRegister(io.rxd, 2, true.B, true.B)
  val active = RegInit(false.B)
  val ticks = RegInit(0.U(log2Ceil(2 * divider).W))
  val bits = RegInit(0.U(4.W))
  val shift = Reg(UInt(8.W))

  io.data.valid := false.B
  io.data.bits := shift
  io.framingError := false.B

  when(!active) {
    when(!rxd) {
      active := true.B
      ticks := (3 * divider / 2 - 1).U
      bits := 0.U
    }
  }.elsewhen(ticks =/= 0.U) {
    ticks := ticks - 1.U
  }.otherwise {
    ticks := (divider - 1).U
    bits := bits + 1.U
    when(bits === 8.U) {
      active := false.B
      io.data.valid := rxd
      io.framingError := !rxd
    }.otherwise {
      shift := Cat(rxd, shift(7, 1))
    }
  }
}

class SpiMaster(bits: Int = 8) extends Module {
  val io = IO(new Bundle {
    val go = Input(Bool())
    val send = Input(UInt(bits.W))
    val received = Output(UInt(bits.W))
    val busy = Output(Bool())
    val sclk = Output(Bool())
    val mosi = Output(Bool())
    val miso = Input(Bool())
  })
  val shift = RegInit(0.U(bits.W))
  val left = RegInit(0.U(log2Ceil(bits + 1).W))
  val sclk = RegInit(false.B)
  val sample = RegInit(false.B)

  io.busy := left.orR
  io.sclk := sclk
  io.mosi := shift(bits - 1)
  io.received := shift
  when(left === 0.U) {
    sclk := false.B
    when(io.go) {
      shift := io.send
      left := bits.U
    }
  }.otherwise {
    sclk := !sclk
    when(!sclk) {
      sample := io.miso
    }.otherwise {
      shift := shift(bits - 2, 0) ## sample
      left := left - 1.U
    }
  }
}

class Debouncer(cycles: Int = 1000) extends Module {
  val button = IO(Input(Bool()))
  val pressed = IO(Output(Bool()))

  val synced = RegNext(RegNext(button))
  val stable = RegInit(false.B)
  val count = RegInit(0.U(log2Ceil(cycles).W))
  when(synced === stable) {
    count := 0.U
  }.elsewhen(count === (cycles - 1).U) {
    count := 0.U
    stable := synced
  }.otherwise {
    count := count + 1.U
  }
  pressed := stable && !RegNext(stable, false.B)
}

class Gcd(width: Int = 16) extends Module {
  class Operands extends Bundle {
    val a = UInt(width.W)
    val b = UInt(width.W)
  }
  val in = IO(Flipped(Decoupled(new Operands)))
  val out = IO(Decoupled(UInt(width.W)))

  val x, y = Reg(UInt(width.W))
  val busy = RegInit(false.B)
  in.ready := !busy
  out.valid := busy && y === 0.U
  out.bits := x
  when(in.fire) {
    x := in.bits.a
    y := in.bits.b
    busy := true.B
  }.elsewhen(out.fire) {
    busy := false.B
  }.elsewhen(busy) {
    when(x > y) { x := y; y := x }.otherwise { y := y - x }
  }
}

class SequenceDetector extends Module {
  val io = IO(new Bundle {
    val in = Input(Bool())
    val found = Output(Bool())
  })
  val pattern = "b1011".U(4.W)
  val seen = RegInit(0.U(4.W))
  seen := Cat(seen(2, 0), io.in)
  io.found := seen === pattern
}
