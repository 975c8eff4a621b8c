package hwml.worker

import scala.tools.nsc.{Global, Phase, Settings, SubComponent}

/** scalac without the copies of generic code for primitive types (`@specialized`), a fifth of its time on a module.
  *
  * They only save boxing when the code runs; ours runs once. In place of the phase stands an empty one of its name, so
  * that the compiler finds it where it asks what is known "after specialize". Calls go to the generic methods, which
  * every specialised class has. The option -no-specialization alone keeps the phase busy with the library's classes.
  */
final class PlainGlobal(settings: Settings, tries: TryingReporter) extends Global(settings, tries) { self =>
  settings.nospecialization.value = true

  private object unspecialized extends SubComponent {
    val global: self.type = self
    val phaseName = "specialize"
    val runsAfter: List[String] = Nil
    val runsRightAfter: Option[String] = Some("tailcalls")
    override def newPhase(prev: Phase): StdPhase = new StdPhase(prev) {
      override def apply(unit: self.CompilationUnit): Unit = ()
    }
  }

  /** By file: what the last run's sources refer to beyond plain hardware. */
  var unusual: Map[String, String] = Map()

  /** The package in which the current check lives. */
  var checkPackage = ""

  /** The file whose signature is kept, and the signature, once it is written down. */
  var document = ""
  var signature: Signature = Signature()

  /** What the last run's sources connect, once the typer is through with them. */
  var connections: Seq[Connection] = Nil

  private object vetting extends SubComponent {
    val global: self.type = self
    val phaseName = "hwml-vetting"
    val runsAfter: List[String] = List("typer")
    val runsRightAfter: Option[String] = Some("typer")
    override def newPhase(prev: Phase): StdPhase = new StdPhase(prev) {
      override def run(): Unit = if (!self.reporter.hasErrors) {
        if (tries.failed.nonEmpty) {
          val pruning = new Pruning[self.type](self)
          self.currentRun.units.filter(unit => tries.holds(unit.source.file.name)).foreach(pruning.prune(_, tries.failed))
        }
        val own = self.currentRun.symSource.keySet
        unusual = new Vetting[self.type](self).firstUnusual(self.currentRun.units, own, checkPackage)
        connections = new Connections[self.type](self).found(self.currentRun.units)
        signature = new Signatures[self.type](self).shape(document)
      }
      override def apply(unit: self.CompilationUnit): Unit = ()
    }
  }

  private object signing extends SubComponent {
    val global: self.type = self
    val phaseName = "hwml-signature"
    val runsAfter: List[String] = List("pickler")
    val runsRightAfter: Option[String] = Some("pickler")
    override def newPhase(prev: Phase): StdPhase = new StdPhase(prev) {
      override def run(): Unit = if (!self.reporter.hasErrors) signature = new Signatures[self.type](self).written(document, signature)
      override def apply(unit: self.CompilationUnit): Unit = ()
    }
  }

  override protected def computeInternalPhases(): Unit = {
    super.computeInternalPhases()
    phasesSet -= unspecialized // components are equal by name
    phasesSet += unspecialized
    phasesSet += vetting
    phasesSet += signing
  }
}
