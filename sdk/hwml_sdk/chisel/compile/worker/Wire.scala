package hwml.worker

import java.io._
import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.security.MessageDigest

/** One request: `stamp` is its id and the digest of all that arrived, which every answer to it opens with. */
final case class Request(stamp: Seq[Array[Byte]], fields: Array[Array[Byte]])

/** The line between hwml and a worker, on two pipes of its own: what anybody prints never gets there.
  *
  * A message is a count, then that many byte strings, each after its length (big-endian). The names of the pipes are
  * gone from the file system once both ends are open. Without names the line is standard input and output.
  */
final class Wire(names: Seq[String]) {
  private val MaxFields = 1 << 20
  private val MaxBytes = 256 << 20
  private val (in, out) = names match {
    case Seq("-", "-") => (System.in, new FileOutputStream(FileDescriptor.out))
    case Seq(from, to) => (new FileInputStream(from), new FileOutputStream(to))
  }
  private val source = new DataInputStream(new BufferedInputStream(in))
  private val sink = new DataOutputStream(new BufferedOutputStream(out))

  /** The next request, or None when the other side has gone. */
  def read(): Option[Request] =
    try {
      val digest = MessageDigest.getInstance("SHA-256")
      val count = source.readInt()
      require(count >= 1 && count <= MaxFields, s"a message of $count fields")
      val fields = Array.fill(count) {
        val length = source.readInt()
        require(length >= 0 && length <= MaxBytes, s"a field of $length bytes")
        val bytes = new Array[Byte](length)
        source.readFully(bytes)
        digest.update(ByteBuffer.allocate(4).putInt(length).array)
        digest.update(bytes)
        bytes
      }
      Some(Request(Seq(fields.head, digest.digest()), fields.tail))
    } catch { case _: EOFException => None }

  /** Tell that the worker is ready. */
  def ready(): Unit = write(Seq(Wire.bytes("ready")))

  def answer(request: Request, fields: Seq[Array[Byte]]): Unit = write(request.stamp ++ fields)

  private def write(fields: Seq[Array[Byte]]): Unit = sink.synchronized {
    sink.writeInt(fields.size)
    for (field <- fields) {
      sink.writeInt(field.length)
      sink.write(field)
    }
    sink.flush()
  }
}

object Wire {
  def bytes(text: String): Array[Byte] = (if (text == null) "" else text).getBytes(UTF_8)
  def bytes(number: Int): Array[Byte] = bytes(number.toString)
  def text(field: Array[Byte]): String = new String(field, UTF_8)
}
