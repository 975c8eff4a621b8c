/* outer /* nested
// hwml: error CH101: not one of ours
*/ still outside */
import chisel3._

class Sample extends Module {
  val io = IO(new Bundle { val in = Input(UInt(8.W)); val out = Output(UInt(8.W)) })
  val text = """
// hwml: error CH102: inside a string
  """
  // hwml: elaborate Sample()
  io.out := io.in +& 1.U
}
