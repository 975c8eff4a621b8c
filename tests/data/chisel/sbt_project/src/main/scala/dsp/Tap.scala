package dsp

import chisel3._

class Tap(width: Int, coefficient: Int) extends Module {
  val in = IO(Input(SInt(width.W)))
  val next = IO(Output(SInt(width.W)))
  val product = IO(Output(SInt((width + 8).W)))
  next := RegNext(in, 0.S)
  product := in * coefficient.S(8.W)
}
