package hwml.worker

import java.io.{DataInputStream, DataOutputStream, EOFException}
import java.nio.charset.StandardCharsets.UTF_8

/** Messages between hwml and its workers: a count, then that many byte strings, each after its length (big-endian). */
object Wire {
  private val MaxFields = 1 << 20
  private val MaxBytes = 256 << 20

  /** The next message, or None when the other side has gone. */
  def read(in: DataInputStream): Option[Array[Array[Byte]]] =
    try {
      val count = in.readInt()
      require(count >= 0 && count <= MaxFields, s"a message of $count fields")
      Some(Array.fill(count) {
        val length = in.readInt()
        require(length >= 0 && length <= MaxBytes, s"a field of $length bytes")
        val bytes = new Array[Byte](length)
        in.readFully(bytes)
        bytes
      })
    } catch { case _: EOFException => None }

  def write(out: DataOutputStream, fields: Iterable[Array[Byte]]): Unit = out.synchronized {
    out.writeInt(fields.size)
    for (field <- fields) {
      out.writeInt(field.length)
      out.write(field)
    }
    out.flush()
  }

  def bytes(text: String): Array[Byte] = (if (text == null) "" else text).getBytes(UTF_8)
  def bytes(number: Int): Array[Byte] = bytes(number.toString)
  def text(field: Array[Byte]): String = new String(field, UTF_8)
}
