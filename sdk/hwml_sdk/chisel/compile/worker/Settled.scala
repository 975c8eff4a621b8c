package hwml.worker

import scala.reflect.io.VirtualDirectory

/** Compiled files that others build upon: what was found in them, and their classes. */
final class Settled(outcome: Outcome) {
  def packageName: String = outcome.packageName

  /** The classes as the compiler reads them from a class path. */
  val folder = new VirtualDirectory("(settled)", None)
  for ((name, bytes) <- outcome.classes) {
    val parts = name.split('.')
    val place = parts.init.foldLeft(folder: scala.reflect.io.AbstractFile)(_.subdirectoryNamed(_))
    val out = place.fileNamed(parts.last + ".class").output
    try out.write(bytes)
    finally out.close()
  }

  /** Whether a document shows to these files what it showed when they were compiled. */
  def fits(document: Outcome): Boolean = outcome.signature.agrees(document.signature)

  /** What a compile of all files at once would have found, given what was found in the others. */
  def joined(other: Outcome): Outcome =
    if (!other.signature.parsed) other // nobody gets to types, then
    else {
      val all = other.copy(findings = other.findings ++ outcome.findings, connections = other.connections ++ outcome.connections)
      if (!other.clean) all
      else
        all.copy(
          modules = other.modules ++ outcome.modules,
          blackBoxes = other.blackBoxes + outcome.blackBoxes,
          unusual = outcome.unusual ++ other.unusual,
          classes = if (other.classes.isEmpty) Nil else other.classes ++ outcome.classes
        )
    }
}

/** The last few sets of settled files, by name and text; None for those that do not compile by themselves. */
final class SettledFiles {
  private val Most = 4
  private type Key = Seq[(String, String)]
  private val sets = new java.util.LinkedHashMap[Key, Option[Settled]](16, 0.75f, true) {
    override def removeEldestEntry(eldest: java.util.Map.Entry[Key, Option[Settled]]): Boolean = size > Most
  }

  def get(files: Key): Option[Settled] = Option(sets.get(files)).flatten

  def put(files: Key, found: Option[Settled]): Unit = sets.put(files, found)

  def getOrElseUpdate(files: Key, found: => Option[Settled]): Option[Settled] = {
    if (!sets.containsKey(files)) put(files, found)
    get(files)
  }
}
