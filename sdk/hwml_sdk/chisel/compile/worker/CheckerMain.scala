package hwml.worker

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Paths}
import scala.collection.mutable

/** The resident checker. Arguments: the two pipes, then a file of class path, plug-in and scalac's options by line. */
object CheckerMain {
  def main(arguments: Array[String]): Unit = {
    val wire = new Wire(arguments.take(2).toSeq)
    System.setOut(System.err)
    val lines = new String(Files.readAllBytes(Paths.get(arguments(2))), UTF_8).split('\n').toList
    val compiler = new Compiler(lines(0), lines(1), lines.drop(2).filter(_.nonEmpty))
    wire.ready()
    Iterator.continually(wire.read()).takeWhile(_.isDefined).flatten.foreach { request =>
      wire.answer(request, answer(compiler, request.fields))
      compiler.rest()
    }
    // No `exit`: the archive of loaded classes is written when the last thread ends.
  }

  /** Request: wantClasses ("0" or "1"), bare (the same), how many files at the end are unchanged, how long the tries at
    * the end of the first file are, then name and text of each file.
    */
  private def answer(compiler: Compiler, request: Array[Array[Byte]]): Seq[Array[Byte]] = {
    val files = request.drop(4).grouped(2).map(pair => (Wire.text(pair(0)), Wire.text(pair(1)))).toSeq
    val Array(wantClasses, bare, unchanged, tries) = request.take(4).map(Wire.text(_).toInt)
    val outcome = compiler.compile(files, wantClasses == 1, bare == 1, unchanged, tries)
    val fields = mutable.ArrayBuffer[Array[Byte]](Wire.bytes(outcome.crash), Wire.bytes(outcome.findings.size))
    for (f <- outcome.findings)
      fields ++= Seq(Wire.bytes(f.severity), Wire.bytes(f.file), Wire.bytes(f.start), Wire.bytes(f.point), Wire.bytes(f.end), Wire.bytes(f.message))
    fields += Wire.bytes(outcome.modules.size)
    for (m <- outcome.modules) {
      fields ++= Seq(Wire.bytes(m.binaryName), Wire.bytes(m.name), Wire.bytes(m.file), Wire.bytes(m.point), Wire.bytes(m.parameters.size))
      for (p <- m.parameters)
        fields ++= Seq(Wire.bytes(p.name), Wire.bytes(p.tpe), Wire.bytes(p.group), Wire.bytes(if (p.hasDefault) 1 else 0), Wire.bytes(if (p.isImplicit) 1 else 0))
    }
    fields += Wire.bytes(outcome.blackBoxes)
    val first = outcome.unusual.get(files.head._1).orElse(outcome.unusual.toSeq.sorted.headOption.map(_._2))
    fields += Wire.bytes(first.getOrElse(""))
    fields += Wire.bytes(outcome.connections.size)
    for (c <- outcome.connections)
      fields ++= Seq(Wire.bytes(c.file), Wire.bytes(c.point), Wire.bytes(c.operator)) ++
        Seq(c.sink.kind, c.sink.tpe, c.source.kind, c.source.tpe).map(Wire.bytes)
    fields += Wire.bytes(outcome.classes.size)
    for ((name, bytes) <- outcome.classes) fields ++= Seq(Wire.bytes(name), bytes)
    fields.toSeq
  }
}
