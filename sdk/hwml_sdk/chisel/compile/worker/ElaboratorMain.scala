package hwml.worker

import java.io._
import java.lang.reflect.{Constructor, InvocationTargetException, Modifier}
import scala.collection.mutable

/** Output of the user's constructors, kept up to a limit and dropped past it. */
final class Capture(limit: Int) extends OutputStream {
  private val kept = new ByteArrayOutputStream
  override def write(byte: Int): Unit = synchronized { if (kept.size < limit) kept.write(byte) }
  override def write(bytes: Array[Byte], offset: Int, length: Int): Unit = synchronized {
    kept.write(bytes, offset, math.max(0, math.min(length, limit - kept.size)))
  }
  def text: String = synchronized(new String(kept.toByteArray, "UTF-8"))
}

/** Classes of one check, from memory; everything else comes from the class path. */
final class MemoryClasses(classes: Map[String, Array[Byte]], parent: ClassLoader) extends ClassLoader(parent) {
  override def findClass(name: String): Class[_] = classes.get(name) match {
    case Some(bytes) => defineClass(name, bytes, 0, bytes.length)
    case None => throw new ClassNotFoundException(name)
  }
}

/** The resident elaborator: runs module constructors, which are the user's code, so it stands inside a fence. */
object ElaboratorMain {
  private val OutputLimit = 256 * 1024
  private val StackBytes = 32L << 20

  /** Arguments: the two pipes. */
  def main(arguments: Array[String]): Unit = {
    val wire = new Wire(arguments.take(2).toSeq)
    System.setOut(new PrintStream(new Capture(0)))
    System.setIn(new ByteArrayInputStream(Array()))
    @volatile var busy: Option[Request] = None
    Runtime.getRuntime.addShutdownHook(new Thread(() => busy.foreach(wire.answer(_, Seq(Wire.bytes("exit"))))))
    try elaborated(classOf[WarmUp].getName, new MemoryClasses(Map(), getClass.getClassLoader))
    catch { case error: Exception => System.err.println(s"warm-up: $error") }
    val requests = new java.util.concurrent.LinkedBlockingQueue[Option[Request]]
    val reader = new Thread(() => {
      var next = wire.read()
      while (next.isDefined) { requests.put(next); next = wire.read() }
      // The caller has gone: do not outlive it, whatever a constructor is doing.
      if (busy.isDefined) Runtime.getRuntime.halt(0)
      requests.put(None)
    })
    reader.setDaemon(true)
    reader.start()
    wire.ready()
    Iterator.continually(requests.take()).takeWhile(_.isDefined).flatten.foreach { request =>
      busy = Some(request)
      serve(request.fields, wire.answer(request, _))
      busy = None
    }
  }

  /** Request: number of classes, name and bytes of each, then targets (class names). One answer a target, then "done". */
  private def serve(request: Array[Array[Byte]], answer: Seq[Array[Byte]] => Unit): Unit = {
    val count = Wire.text(request(0)).toInt
    val classes = (0 until count).map(i => Wire.text(request(1 + 2 * i)) -> request(2 + 2 * i)).toMap
    val targets = request.drop(1 + 2 * count).map(Wire.text)
    val properties = System.getProperties.clone().asInstanceOf[java.util.Properties]
    val group = new ThreadGroup("check")
    for (target <- targets) {
      val loader = new MemoryClasses(classes, getClass.getClassLoader)
      answer(run(target, loader, group))
    }
    System.setProperties(properties)
    // A thread that a constructor started would live on in later checks: the caller renews this process then.
    answer(Seq(Wire.bytes("done"), Wire.bytes(group.activeCount())))
  }

  private def run(target: String, loader: ClassLoader, group: ThreadGroup): Seq[Array[Byte]] = {
    val capture = new Capture(OutputLimit)
    val stream = new PrintStream(capture, true, "UTF-8")
    val (oldOut, oldErr) = (System.out, System.err)
    var answer: Seq[Array[Byte]] = Nil
    val body: Runnable = () => {
      answer =
        try scala.Console.withOut(stream)(scala.Console.withErr(stream) {
          Seq(Wire.bytes("ok"), Wire.bytes(target), Wire.bytes(elaborated(target, loader)))
        })
        catch { case error: Throwable => failure(target, error) }
    }
    System.setOut(stream)
    System.setErr(stream)
    try {
      val thread = new Thread(group, body, "elaboration", StackBytes)
      thread.setDaemon(true)
      thread.start()
      thread.join()
    } finally {
      System.setOut(oldOut)
      System.setErr(oldErr)
    }
    answer :+ Wire.bytes(capture.text)
  }

  private def failure(target: String, error: Throwable): Seq[Array[Byte]] = {
    val cause = root(error)
    // The frames alone would fill the answer when a constructor recurses.
    val frames = cause.getStackTrace.take(400).map(f => s"${f.getClassName}\t${f.getFileName}\t${f.getLineNumber}")
    Seq(Wire.bytes("fail"), Wire.bytes(target), Wire.bytes(cause.getClass.getName), Wire.bytes(cause.getMessage), Wire.bytes(frames.mkString("\n")))
  }

  private def root(error: Throwable): Throwable = error match {
    case e: InvocationTargetException if e.getCause != null => root(e.getCause)
    case e: ExceptionInInitializerError if e.getCause != null => root(e.getCause)
    case e => e
  }

  private def elaborated(target: String, loader: ClassLoader): String = {
    val cls = Class.forName(target, true, loader)
    circt.stage.ChiselStage.emitCHIRRTL(
      if (target.endsWith("$")) call(cls) else construct(cls, loader)
    )
  }

  /** An object with `def apply(): RawModule`, made from what the user asked to elaborate. */
  private def call(cls: Class[_]): chisel3.RawModule = {
    val instance = cls.getField("MODULE$").get(null)
    cls.getMethod("apply").invoke(instance).asInstanceOf[chisel3.RawModule]
  }

  private def construct(cls: Class[_], loader: ClassLoader): chisel3.RawModule = {
    val constructor: Constructor[_] = cls.getDeclaredConstructors.minBy(_.getParameterCount)
    constructor.setAccessible(true)
    val values = mutable.ArrayBuffer[AnyRef]()
    if (constructor.getParameterCount > 0) {
      val companion = Class.forName(cls.getName + "$", true, loader)
      val instance = companion.getField("MODULE$").get(null)
      for (index <- 1 to constructor.getParameterCount) {
        val name = "$lessinit$greater$default$" + index
        val default = companion.getMethods.find(m => m.getName == name && !Modifier.isStatic(m.getModifiers)).get
        // A default may use the parameter lists before its own.
        values += default.invoke(instance, values.take(default.getParameterCount).toSeq: _*)
      }
    }
    constructor.newInstance(values.toSeq: _*).asInstanceOf[chisel3.RawModule]
  }
}
