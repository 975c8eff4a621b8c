package dsp

import chisel3._
import spire.math.Rational

class Fir(taps: Int = 5, width: Int = 8) extends Module {
  private val gain = (Rational(3, 2) * 40).round.toInt
  val in = IO(Input(SInt(width.W)))
  val out = IO(Output(SInt((width + 12).W)))
  private val stages = Taps.triangular(taps, gain).map(c => Module(new Tap(width, c)))
  stages.head.in := in
  stages.zip(stages.tail).foreach { case (left, right) => right.in := left.next }
  out := stages.map(_.product).reduce(_ +& _)
}
