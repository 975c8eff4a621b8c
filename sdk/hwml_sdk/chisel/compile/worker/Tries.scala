package hwml.worker

import scala.collection.mutable
import scala.reflect.internal.util.Position
import scala.reflect.internal.{Reporter => Results}
import scala.tools.nsc.reporters.StoreReporter
import scala.tools.nsc.{Global, Settings}

/** Keeps what the compiler says, but for tries: lines behind a document, each an object of its own that may fail.
  *
  * A failed one is nobody's error: it is noted, and falls out of the run before classes are made. What the parser says
  * of these lines is kept, as it may come from a bracket that the document never closed.
  */
final class TryingReporter(settings: Settings) extends StoreReporter(settings) {
  private var file = ""
  private var from = Int.MaxValue
  private var parsing: () => Boolean = () => true
  private val fallen = mutable.Set[String]()

  /** The next run has tries behind an offset of a file; `inParser` says whether it is still being parsed. */
  def expect(name: String, offset: Int, inParser: () => Boolean): Unit = {
    file = name
    from = offset
    parsing = inParser
    fallen.clear()
  }

  /** Names of the objects that failed. */
  def failed: collection.Set[String] = fallen

  def holds(name: String): Boolean = file == name && from < Int.MaxValue

  override def filter(pos: Position, message: String, severity: Severity): Int =
    if (pos.isDefined && pos.point >= from && pos.source.file.name == file && !parsing()) {
      if (severity == ERROR) Tries.nameIn(pos.lineContent).foreach(fallen += _)
      Results.Suppress
    } else super.filter(pos, message, severity)
}

object Tries {
  private val Name = """hwml_try_\d+""".r

  /** The object that stands in a line. */
  def nameIn(line: String): Option[String] = Name.findFirstIn(line)

  /** Whether an object, by its name without its package, is there for the check only: a try, or what a user asked for. */
  def ours(name: String): Boolean = name.startsWith("hwml_try_") || name.startsWith("hwml_call_")
}

/** Takes objects out of a run that the typer has seen. */
final class Pruning[G <: Global](val global: G) {
  import global._

  def prune(unit: CompilationUnit, names: collection.Set[String]): Unit = unit.body = without(unit.body, names)

  private def without(tree: Tree, names: collection.Set[String]): Tree = tree match {
    case inside: PackageDef =>
      val (gone, kept) = inside.stats.partition { case item: ModuleDef => names(item.name.toString); case _ => false }
      gone.foreach(item => item.symbol.owner.info.decls.unlink(item.symbol))
      treeCopy.PackageDef(inside, inside.pid, kept.map(without(_, names)))
    case other => other
  }
}
