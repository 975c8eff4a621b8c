package hwml.worker

import scala.collection.mutable
import scala.reflect.internal.util.{BatchSourceFile, Position}
import scala.reflect.io.{AbstractFile, VirtualDirectory}
import scala.tools.nsc.classpath.VirtualDirectoryClassPath
import scala.tools.nsc.{Global, Settings}

/** A finding of scalac; offsets count UTF-16 units from the start of the file as the user wrote it, -1: no place. */
final case class Finding(severity: String, file: String, start: Int, point: Int, end: Int, message: String)

/** A constructor parameter: `group` counts parameter lists. */
final case class Parameter(name: String, tpe: String, group: Int, hasDefault: Boolean, isImplicit: Boolean)

/** A concrete module class that can be instantiated from outside. */
final case class ModuleClass(binaryName: String, name: String, file: String, point: Int, parameters: Seq[Parameter])

/** What a run found; unusual: by file, what makes its constructors more than plain hardware (Vetting).
  *
  * packageName: in which the check lived; signature: what the first file shows to others.
  */
final case class Outcome(
    crash: String,
    findings: Seq[Finding] = Nil,
    modules: Seq[ModuleClass] = Nil,
    blackBoxes: Int = 0,
    unusual: Map[String, String] = Map(),
    connections: Seq[Connection] = Nil,
    classes: Seq[(String, Array[Byte])] = Nil,
    packageName: String = "",
    signature: Signature = Signature()
) {
  def clean: Boolean = crash.isEmpty && findings.forall(_.severity != "ERROR")

  /** The same but for what stands in the first file. */
  def without(file: String): Outcome = copy(
    findings = findings.filter(_.file != file),
    modules = modules.filter(_.file != file),
    unusual = unusual - file,
    connections = connections.filter(_.file != file),
    classes = classes.filterNot { case (name, _) => signature.owns(name) }
  )
}

/** scalac kept warm: compiles to memory, and forgets what a check defined before the next one.
  *
  * Every check lives in a package of its own (a prefix on line 1 of each file), which is taken out of the symbol table
  * afterwards; what cannot be taken out (name tables, caches) goes when the compiler is renewed.
  */
final class Compiler(classPath: String, plugin: String, options: List[String]) {
  private val RenewAfter = 150
  private val output = new VirtualDirectory("(memory)", None)
  private val settled = new SettledFiles // by the texts of files that stand by themselves
  private val users = new SettledFiles // by the document's name and the texts of all others
  private var reporter: TryingReporter = _
  private var global: PlainGlobal = _
  private var runs = 0
  private var sequence = 0
  private var document = ("", "")
  private var triesFrom = Int.MaxValue
  renew()

  private def renew(): Unit = {
    runs = 0
    global = null // the old one must be gone before the new one grows
    val settings = new Settings(message => System.err.println(message))
    settings.processArguments(List("-Xplugin:" + plugin) ++ options, processAll = true)
    settings.classpath.value = classPath
    settings.outputDirs.setSingleOutput(output)
    reporter = new TryingReporter(settings)
    global = new PlainGlobal(settings, reporter)
    // The symbols of scala itself are set up by the first run that gets past the parser.
    val fresh = global
    new fresh.Run().compileSources(List(new BatchSourceFile("start.scala", "package hwml_0; class Start")))
    output.clear()
    reporter.reset()
  }

  /** Between two checks, when the answer is out: take a new compiler if this one is worn, and give memory back. */
  def rest(): Unit =
    if (runs >= RenewAfter) {
      renew()
      System.gc()
    }

  /** bare: without the package of its own, which hides packages of the class path; needs a new compiler each time.
    *
    * The first file is the document, whose last `tries` UTF-16 units may fail (TryingReporter). The last `unchanged` ones do not refer to the others. What is compiled once is kept
    * while it must be the same: classes of `unchanged` files while their texts are, those of the rest as well while the
    * document's signature is.
    */
  def compile(files: Seq[(String, String)], wantClasses: Boolean, bare: Boolean, unchanged: Int, tries: Int): Outcome = {
    document = files.head
    triesFrom = if (tries > 0) document._2.length - tries else Int.MaxValue
    if (bare) {
      if (runs > 0) renew()
      alone(files, wantClasses, bare = true)
    } else {
      val key = (files.head._1, "") +: files.tail
      users.get(key).flatMap(documentAlone(files.head, _)).getOrElse {
        val (fresh, kept) = files.splitAt(files.size - unchanged)
        val base = if (kept.isEmpty) None else settled.getOrElseUpdate(kept, settle(kept))
        val keep = wantClasses || fresh.size > 1
        val found = base.flatMap(onTopOf(fresh, keep, _)).getOrElse(alone(files, keep, bare = false))
        if (fresh.size > 1 && found.clean) users.put(key, Some(new Settled(found.without(files.head._1))))
        found
      }
    }
  }

  /** The document against the classes of all others; None where these are not what they would be with it. */
  private def documentAlone(document: (String, String), others: Settled): Option[Outcome] = {
    val outcome = attempt(Seq(document), others.packageName, s"package ${others.packageName};", wantClasses = true, Some(others))
    if (outcome.crash.nonEmpty) renew()
    if (outcome.crash.isEmpty && others.fits(outcome)) Some(others.joined(outcome)) else None
  }

  private def onTopOf(fresh: Seq[(String, String)], wantClasses: Boolean, base: Settled): Option[Outcome] = {
    val outcome = attempt(fresh, base.packageName, s"package ${base.packageName};", wantClasses, Some(base))
    if (outcome.crash.isEmpty) Some(base.joined(outcome)) else { renew(); None }
  }

  /** Classes of files that compile by themselves. */
  private def settle(files: Seq[(String, String)]): Option[Settled] = {
    sequence += 1
    val name = s"hwml_$sequence"
    val outcome = attempt(files, name, s"package $name;", wantClasses = true, None)
    if (outcome.crash.nonEmpty) renew()
    if (outcome.clean) Some(new Settled(outcome)) else None
  }

  private def alone(files: Seq[(String, String)], wantClasses: Boolean, bare: Boolean): Outcome = {
    sequence += 1
    val packageName = s"hwml_$sequence"
    val prefix = if (bare) "" else s"package $packageName;"
    val outcome = attempt(files, packageName, prefix, wantClasses, None)
    // A compiler that has seen many files may be at fault itself: what it says only counts when a new one says it too.
    val confirmed =
      if (outcome.crash.isEmpty) outcome
      else {
        renew()
        attempt(files, packageName, prefix, wantClasses, None)
      }
    if (confirmed.crash.nonEmpty || bare) runs = RenewAfter
    confirmed
  }

  private def attempt(
      files: Seq[(String, String)],
      packageName: String,
      prefix: String,
      wantClasses: Boolean,
      base: Option[Settled]
  ): Outcome = {
    runs += 1
    output.clear()
    reporter.reset()
    try {
      base.foreach(enter)
      global.document = if (base.isEmpty && files.size == 1) "" else files.head._1 // nobody builds upon the only one
      checked(files, packageName, prefix, wantClasses)
    } catch {
      case fatal: VirtualMachineError if !fatal.isInstanceOf[StackOverflowError] => throw fatal
      case crash: Throwable => Outcome(s"${crash.getClass.getName}: ${crash.getMessage}")
    } finally {
      forget(packageName)
      output.clear()
    }
  }

  /** Let the compiler find the classes of settled files in their package; it reads those that somebody asks for. */
  private def enter(base: Settled): Unit = {
    val g = global
    val loader = new g.loaders.PackageLoader(base.packageName, VirtualDirectoryClassPath(base.folder))
    g.enteringTyper(g.loaders.enterPackage(g.rootMirror.RootClass, base.packageName, loader))
  }

  /** Take the package of a check out of the symbol table. Later phases have a copy of it, where it stays. */
  private def forget(packageName: String): Unit = {
    val g = global
    g.enteringTyper {
      val root = g.rootMirror.RootClass.info.decls
      root.lookupAll(g.TermName(packageName)).toList.foreach(root.unlink)
      root.lookupAll(g.TypeName(packageName)).toList.foreach(root.unlink)
    }
  }

  private def checked(
      files: Seq[(String, String)],
      packageName: String,
      prefix: String,
      wantClasses: Boolean
  ): Outcome = {
    val g = global
    val run = new g.Run
    g.unusual = Map()
    g.checkPackage = packageName
    g.connections = Nil
    g.signature = Signature()
    val from = if (files.head == document && triesFrom < Int.MaxValue) triesFrom + prefix.length else Int.MaxValue
    reporter.expect(files.head._1, from, () => g.phase.name == "parser")
    val sources = files.map { case (name, code) => new BatchSourceFile(name, prefix + code) }
    run.compileSources(sources.toList)
    val findings = reporter.infos.toSeq.map(info => finding(info.pos, info.severity.toString, info.msg, packageName, prefix))
    val (modules, blackBoxes) = if (reporter.hasErrors) (Nil, 0) else moduleClasses(g)(run, packageName, prefix)
    val classes = if (wantClasses && !reporter.hasErrors) classFiles(output, "").filterNot(isFailed) else Nil
    // In a package that is Chisel's own, its insides would be in reach.
    val unusual = if (prefix.isEmpty) Map("" -> "packages of jars") else g.unusual
    val typed = if (reporter.hasErrors) g.exitingTyper(new Connections[g.type](g).found(run.units)) else g.connections
    val connections = typed.map(connection(_, packageName, prefix))
    val signature = if (reporter.hasErrors) g.exitingTyper(new Signatures[g.type](g).shape(files.head._1)) else g.signature
    Outcome("", findings, modules, blackBoxes, unusual, connections, classes, packageName, signature)
  }

  /** Whether a class belongs to a try that failed after the typer, with which it would have gone. */
  private def isFailed(file: (String, Array[Byte])): Boolean = Tries.nameIn(file._1).exists(reporter.failed)

  private def connection(found: Connection, packageName: String, prefix: String): Connection = {
    def shown(side: Side) = side.copy(tpe = side.tpe.replace(packageName + ".", ""))
    found.copy(point = math.max(0, found.point - prefix.length), sink = shown(found.sink), source = shown(found.source))
  }

  private def finding(pos: Position, severity: String, message: String, packageName: String, prefix: String): Finding = {
    val text = message.replace(packageName + ".", "").replace(s"package $packageName", "package <empty>")
    if (!pos.isDefined) Finding(severity, "", -1, -1, -1, text)
    else {
      def shifted(offset: Int) = math.max(0, offset - prefix.length)
      val (start, end) = if (pos.isRange) (pos.start, pos.end) else (pos.point, pos.point)
      Finding(severity, pos.source.file.name, shifted(start), shifted(pos.point), shifted(end), text)
    }
  }

  private def moduleClasses(g: Global)(run: g.Run, packageName: String, prefix: String): (Seq[ModuleClass], Int) = g.exitingTyper {
    val rawModule = g.rootMirror.getClassIfDefined("chisel3.RawModule")
    val baseModule = g.rootMirror.getClassIfDefined("chisel3.experimental.BaseModule")
    val found = mutable.ArrayBuffer[ModuleClass]()
    var blackBoxes = 0
    def visit(symbol: g.Symbol): Unit =
      if (symbol.isModule) symbol.moduleClass.info.decls.foreach(visitMember)
      else if (symbol.isClass && !symbol.isTrait && !symbol.hasFlag(scala.reflect.internal.Flags.ABSTRACT)) {
        if (rawModule != g.NoSymbol && symbol.isSubClass(rawModule)) found += described(g)(symbol, packageName, prefix)
        else if (baseModule != g.NoSymbol && symbol.isSubClass(baseModule)) blackBoxes += 1
      }
    def visitMember(symbol: g.Symbol): Unit = if (symbol.isModule || (symbol.isClass && !symbol.isModuleClass)) visit(symbol)
    run.symSource.keysIterator.filter(_.isTopLevel).toList.foreach(visitMember)
    (found.toSeq.sortBy(module => (module.file, module.point)), blackBoxes)
  }

  private def described(g: Global)(symbol: g.Symbol, packageName: String, prefix: String): ModuleClass = {
    val parameters = for {
      (list, group) <- symbol.primaryConstructor.paramss.zipWithIndex
      parameter <- list
      tpe = parameter.tpe.toString.replace(packageName + ".", "")
    } yield Parameter(parameter.name.decoded, tpe, group, parameter.hasDefault, parameter.isImplicit)
    val pos = symbol.pos
    val (file, point) = if (pos.isDefined) (pos.source.file.name, math.max(0, pos.point - prefix.length)) else ("", -1)
    ModuleClass(symbol.javaClassName, symbol.name.decoded, file, point, parameters)
  }

  private def classFiles(folder: AbstractFile, path: String): Seq[(String, Array[Byte])] = folder.iterator.toSeq.flatMap {
    file =>
      if (file.isDirectory) classFiles(file, path + file.name + ".")
      else if (file.name.endsWith(".class")) Seq((path + file.name.stripSuffix(".class"), file.toByteArray))
      else Nil
  }
}
