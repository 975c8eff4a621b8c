package dsp

import spire.math.Rational

/** Coefficients of a triangular window, exact until they are rounded. */
object Taps {
  def triangular(n: Int, scale: Int): Seq[Int] = {
    val half = Rational(n - 1, 2)
    Seq.tabulate(n)(i => (Rational(scale) * (Rational(1) - ((Rational(i) - half) / (half + 1)).abs)).round.toInt)
  }
}
