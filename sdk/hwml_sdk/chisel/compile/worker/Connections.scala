package hwml.worker

import scala.collection.mutable
import scala.tools.nsc.Global

/** One side of a connection: what kind of signal (enum, leaf, aggregate, data; "": none, or unknown) of what type. */
final case class Side(kind: String, tpe: String)

/** Two sides of a connection or comparison, as the typer knows them; `point` is the operator's offset in UTF-16 units. */
final case class Connection(file: String, point: Int, operator: String, sink: Side, source: Side)

/** Which types the source connects and compares: what a repair must leave as it was. */
final class Connections[G <: Global](val global: G) {
  import global._

  private val Operators = Set(":=", "<>", ":<=", ":>=", ":<>=", ":#=", "===", "=/=")

  /** Also of a run that ended with type errors: their sides are known as far as the typer got. */
  def found(units: Iterator[CompilationUnit]): Seq[Connection] = {
    val walk = new Walk
    units.foreach(unit => walk.traverse(unit.body))
    walk.found.toSeq
  }

  private final class Walk extends Traverser {
    val found = mutable.ArrayBuffer[Connection]()

    override def traverse(tree: Tree): Unit = {
      tree match {
        case Apply(Select(target, name), List(source)) if tree.pos.isDefined =>
          val operator = name.decoded.stripPrefix("do_")
          if (Operators(operator)) found += Connection(tree.pos.source.file.name, tree.pos.point, operator, side(plain(target)), side(source))
        case _ =>
      }
      super.traverse(tree)
    }

    /** The signal itself, where an implicit conversion stands around it. */
    private def plain(tree: Tree): Tree = tree match {
      case view: ApplyImplicitView => view.args.head
      case _ => tree
    }

    private def side(tree: Tree): Side =
      if (tree.tpe == null || tree.tpe.isErroneous) Side("", "")
      else {
        val tpe = tree.tpe.finalResultType.dealiasWiden
        Side(kind(tpe), tpe.toString)
      }

    private def kind(tpe: Type): String = {
      val bases = tpe.baseClasses.iterator.map(_.fullName).toSet
      if (bases("chisel3.EnumType")) "enum"
      else if (bases("chisel3.Element")) "leaf"
      else if (bases("chisel3.Aggregate")) "aggregate"
      else if (bases("chisel3.Data")) "data"
      else ""
    }
  }
}
