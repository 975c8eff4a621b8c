package hwml.worker

import scala.collection.mutable
import scala.tools.nsc.Global

/** What the classes of one file show to other files.
  *
  * pickles: what scalac writes down of each of them for separate compilation, empty where the file has errors; shape:
  * their members with their types, in words, which is there as far as the typer got; owners: their binary names;
  * What stands behind a document for the check alone (Tries) is shown to nobody. parsed: false for a file that ended in the parser, of which nothing is known.
  */
final case class Signature(
    pickles: Map[String, Seq[Byte]] = Map(),
    shape: Seq[String] = Nil,
    owners: Set[String] = Set(),
    parsed: Boolean = true
) {

  /** Whether files that were compiled with this one would say the same with the other.
    *
    * Where the other does not parse, no compiler would look at any type.
    */
  def agrees(other: Signature): Boolean =
    !other.parsed || (shape.nonEmpty && shape == other.shape && (other.pickles.isEmpty || pickles == other.pickles))

  /** Whether a class, by its binary name, is one of the file's. */
  def owns(name: String): Boolean = owners.exists(owner => name == owner || name.startsWith(owner + "$"))
}

/** Reads signatures from a run. */
final class Signatures[G <: Global](val global: G) {
  import global._
  import scala.reflect.internal.Flags._

  private val Shown = ExplicitFlags | DEFERRED | DEFAULTPARAM // others come and go with the phases

  /** From typed trees, also those of a run that ended with type errors: its symbols are reset by then. */
  def shape(file: String): Signature = {
    val bodies = currentRun.units.filter(_.source.file.name == file).map(_.body).toSeq
    val parsed = bodies.forall { case tree: PackageDef => tree.pid.symbol != null && tree.pid.symbol != NoSymbol; case _ => false }
    val walk = new Walk
    if (parsed) bodies.foreach(walk.traverse)
    Signature(shape = walk.found.sorted.toSeq, parsed = parsed)
  }

  /** The same with what is written down, in the phase after it was. */
  def written(file: String, before: Signature): Signature = {
    val symbols = currentRun.symSource.iterator.collect { case (s, source) if s.isTopLevel && source.name == file => s }.toSeq
    val pickles = symbols.filterNot(symbol => Tries.ours(symbol.name.toString)).flatMap { symbol =>
      currentRun.symData.get(symbol).map(data => symbol.fullName -> data.bytes.take(data.writeIndex).toSeq)
    }
    before.copy(pickles = pickles.toMap, owners = symbols.map(_.javaBinaryNameString.replace('/', '.')).toSet)
  }

  private final class Walk extends Traverser {
    val found = mutable.ArrayBuffer[String]()

    override def traverse(tree: Tree): Unit = tree match {
      case PackageDef(_, parts) => parts.foreach(traverse)
      case definition: ImplDef if shown(definition) =>
        found += s"${head(definition)} ${definition.impl.parents.map(_.tpe).mkString(" with ")}"
        definition.impl.body.foreach(traverse)
      case definition: MemberDef if shown(definition) => found += s"${head(definition)} ${definition.symbol.info}"
      case _ =>
    }

    private def shown(tree: MemberDef): Boolean =
      tree.symbol != null && tree.symbol != NoSymbol && !tree.symbol.isPrivateThis && !Tries.ours(tree.name.toString)

    private def head(tree: MemberDef): String = s"${tree.symbol.fullName} ${tree.symbol.flags & Shown}"
  }
}
