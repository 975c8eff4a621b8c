// From `hwml hooks sbt` (sbt 1.x): save as project/HwmlCheck.scala. `compile` then checks changed Chisel sources, and
// fails on what hwml finds; `hwmlCheck` alone runs the check. Remove the file to be rid of it.
import sbt._
import sbt.Keys._
import sbt.plugins.JvmPlugin
import scala.sys.process.{Process, ProcessLogger}

object HwmlCheck extends AutoPlugin {
  object autoImport {
    val hwmlCheck = taskKey[Unit]("Check changed Chisel sources with hwml")
    val hwmlCommand = settingKey[Seq[String]]("The program that checks, with its options")
  }
  import autoImport._

  override def trigger = allRequirements
  override def requires = JvmPlugin

  override def projectSettings: Seq[Setting[_]] = Seq(
    hwmlCommand := Seq(@COMMAND@),
    hwmlCheck := {
      val log = streams.value.log
      val base = baseDirectory.value
      val command = hwmlCommand.value
      val sources = (Compile / unmanagedSources).value.filter(_.getName.endsWith(".scala")).toSet
      // A run that fails leaves the cache as it was: the same files are looked at again next time.
      val check = FileFunction.cached(streams.value.cacheStoreFactory.sub("hwml"), FileInfo.hash, FileInfo.exists) {
        (in: ChangeReport[File], _: ChangeReport[File]) =>
          val changed = (in.modified -- in.removed).toSeq.map(_.getPath).sorted
          if (changed.nonEmpty) {
            val code = Process(command ++ changed, base).!(ProcessLogger(log.info(_), log.error(_)))
            if (code == 1) throw new MessageOnlyException("hwml found errors in changed Chisel sources")
            if (code != 0) log.warn(s"hwml could not check (exit code $code); see above")
          }
          in.checked
      }
      check(sources)
      ()
    },
    Compile / compile := (Compile / compile).dependsOn(hwmlCheck).value
  )
}
