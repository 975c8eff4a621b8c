package hwml.worker

import scala.tools.nsc.Global

/** Whether the constructors of a check can do no more than describe hardware.
  *
  * Looks at what the typed source refers to: symbols of the check itself, of Chisel's public side and of the plain part
  * of the Scala and Java libraries. Anything else (threads, files, reflection, the insides of Chisel, jars of a
  * project) may leave something behind in the process that elaborates, which then serves no further check.
  */
final class Vetting[G <: Global](val global: G) {
  import global._

  /** By file: the first thing it refers to that is not plain; what lies in `home` belongs to the check. */
  def firstUnusual(units: Iterator[CompilationUnit], own: collection.Set[Symbol], home: String): Map[String, String] =
    units.flatMap { unit =>
      val walk = new Walk(own, home + ".")
      walk.traverse(unit.body)
      if (walk.found.isEmpty) None else Some(unit.source.file.name -> walk.found)
    }.toMap

  private final class Walk(own: collection.Set[Symbol], home: String) extends Traverser {
    var found = ""

    override def traverse(tree: Tree): Unit = if (found.isEmpty) {
      tree match {
        case Select(target, _) if tree.symbol.owner.isRefinementClass => dynamic(target.tpe)
        case _: Select | _: Ident | _: New | _: Super => look(tree.symbol)
        case typed: TypeTree if typed.original != null => traverse(typed.original)
        case _ =>
      }
      tree match {
        case ClassDef(_, _, _, template) => template.parents.foreach(parent => look(parent.tpe.typeSymbol))
        // The virtual machine calls it, on a thread of its own, when a later check makes it tidy up.
        case DefDef(_, name, _, _, _, _) if name.toString == "finalize" => found = "a finalizer"
        case _ =>
      }
      if (found.isEmpty) super.traverse(tree)
    }

    /** A call by name through reflection: harmless on hardware and on the check's own classes only. */
    private def dynamic(target: Type): Unit = {
      val classes = target.baseClasses.filterNot(_.isRefinementClass)
      val plain = classes.exists(symbol => symbol.fullName == "chisel3.Data" || symbol.fullName == "chisel3.experimental.BaseModule")
      if (!plain) found = s"a call by name on $target"
    }

    private def look(symbol: Symbol): Unit =
      if (symbol != null && symbol != NoSymbol && !symbol.hasPackageFlag && !symbol.isLocalToBlock) {
        val top = symbol.enclosingTopLevelClass
        val name = if (symbol.isModule) symbol.fullName + ".<module>" else symbol.fullName
        val ours = own(top) || own(top.companionSymbol) || name.startsWith(home)
        if (top != NoSymbol && !ours && !Vetting.plain(name)) found = name
      }
  }
}

object Vetting {

  /** Packages and classes (with all below them), the longest that fits decides. */
  private val Plain = Set(
    "chisel3",
    "scala",
    "java.math",
    "java.io.Serializable",
    "java.lang.Object",
    "java.lang.Class.getSimpleName",
    "java.lang.Class.getName"
  ) ++ Seq(
    "String", "StringBuilder", "CharSequence", "Comparable", "Iterable", "Number", "Integer", "Long", "Short", "Byte",
    "Character", "Boolean", "Double", "Float", "Math", "Throwable.<init>", "Throwable.getMessage", "Exception",
    "RuntimeException", "IllegalArgumentException", "IllegalStateException", "ArithmeticException",
    "UnsupportedOperationException", "IndexOutOfBoundsException", "NumberFormatException", "AssertionError"
  ).map("java.lang." + _)
  private val Unusual = Set(
    "chisel3.internal", "chisel3.stage", "chisel3.testing", "chisel3.simulator", "chisel3.aop", "chisel3.reflect",
    "scala.sys", "scala.io", "scala.reflect", "scala.concurrent", "scala.Console", "scala.util.Properties",
    "scala.util.Random.<module>", "scala.ref", "scala.tools", "scala.collection.parallel",
    "scala.collection.concurrent", "scala.beans", "scala.compat", "scala.jdk"
  )
  private val Again = Set(
    "chisel3.internal.sourceinfo", "chisel3.internal.firrtl.Width", "chisel3.internal.firrtl.KnownWidth",
    "chisel3.internal.firrtl.UnknownWidth", "chisel3.internal.HasId.suggestName", "scala.reflect.ClassTag",
    "scala.reflect.classTag", "scala.reflect.ClassManifest", "scala.sys.package.<module>", "scala.sys.error"
  )

  private def plain(name: String): Boolean = {
    val places = Iterator.iterate(name)(above).takeWhile(_.nonEmpty)
    places.collectFirst {
      case place if Again(place) || (Plain(place) && !Unusual(place)) => true
      case place if Unusual(place) => false
    }.getOrElse(false)
  }

  private def above(name: String): String = name.take(math.max(0, name.lastIndexOf('.')))
}
