package org.acme

import chisel3._
import org.json4s.JValue

class Gain(factor: Int = 3) extends Module {
  val in = IO(Input(UInt(8.W)))
  val out = IO(Output(UInt(10.W)))
  def unusedHelper(x: JValue): Int = 3
  out := in * factor.U(2.W)
}
