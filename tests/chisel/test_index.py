"""Which files of a project a document needs, by Scala's rules of sight; trees written here, no compiler."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hwml_sdk.chisel.build import index as index_module
from hwml_sdk.chisel.build.index import index_of
from hwml_sdk.chisel.build.outline import Import, outline
from hwml_sdk.chisel.build.project import neighbourhood

MAIN = "src/main/scala"


def _tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _needed(folder: Path, name: str, text: str | None = None) -> list[str]:
    path = folder / name
    around = neighbourhood(path)
    index = index_of(around.roots, deep=around.deep)
    found = index.needed(
        path, path.read_text() if text is None else text, homes=around.homes, without=lambda o: not around.holds(o)
    )
    return sorted(str(other.relative_to(folder)).removeprefix(f"{MAIN}/") for other in found.files)


def test_an_outline_holds_packages_objects_and_imports_and_nothing_of_bodies() -> None:
    found = outline("""package a.b
package c
import chisel3._, core.Ops._
import x.y.{A => B, C, D => _, _}
package object lib extends Base { val w = 8.W; type T = Int; def inc(x: Int) = { val inner = 1; x }
  implicit class Rich(val x: Int) { def more = 1 }; object In { val deep = 1 } }
class K(val n: Int) extends Module { val io = 3; object Hidden }
object S extends ChiselEnum { val idle, run = Value } // object Remark
object M { val a :: b :: Nil = Enum(2); val (p, q) = f; val t: Width = 3; val s = "object Said {" }
case object E extends P
def f = { object Local }
""")
    assert found.packages == {"a.b", "a.b.c", "a.b.c.lib"} and found.package_objects == {"a.b.c.lib"}
    assert found.members["a.b.c"] == {"K", "S", "M", "E", "f"}
    assert found.members["a.b.c.lib"] == {"w", "T", "inc", "Rich", "In"} and found.members["a.b.c.lib.In"] == {"deep"}
    assert found.members["a.b.c.S"] == {"idle", "run"}
    assert found.members["a.b.c.M"] == {"a", "b", "p", "q", "t", "s"}
    assert not {"Hidden", "Local", "Remark", "Said"} & {name.rpartition(".")[2] for name in found.definitions}
    assert found.imports == (
        Import("chisel3", "_"),
        Import("core.Ops", "_"),
        *(Import("x.y", name) for name in ("A", "C", "_")),
    )


# What stands in Use.scala, and the file that it needs for it by Scala's rules.
SIGHT = {
    "an object's members": ("import core.Ops._", "double(x)", "core/Ops.scala"),
    "an object": ("import core.Ops", "Ops.double(x)", "core/Ops.scala"),
    "an object under another name": ("import core.{Ops => O}", "O.double(x)", "core/Ops.scala"),
    "a dotted path": ("", "core.Ops.double(x)", "core/Ops.scala"),
    "a path from the root": ("import _root_.core.Ops", "Ops.double(x)", "core/Ops.scala"),
    "an import that extends an import": ("import core._; import Ops._", "double(x)", "core/Ops.scala"),
    "a package as a name": ("import core.deep", "deep.Far.y", "core/deep/Far.scala"),
    "a value of a package object": ("import lib._", "Bits8", "lib/package.scala"),
    "what a package object adds to a type": ("import lib._", "x.more", "lib/package.scala"),
    "its own package": ("", "new Beside", "top/Beside.scala"),
}


@pytest.mark.parametrize("case", SIGHT)
def test_a_file_needs_what_it_can_see(tmp_path: Path, case: str) -> None:
    imports, body, wanted = SIGHT[case]
    files = {
        "core/Ops.scala": "package core\nobject Ops { def double(x: Int) = x }\n",
        "core/deep/Far.scala": "package core.deep\nobject Far { val y = 1 }\n",
        "core/Unrelated.scala": "package core\nclass Unrelated { def f: Int = }\n",
        "lib/package.scala": "package object lib { val Bits8 = 8; implicit class R(x: Int) { def more = 1 } }\n",
        "top/Beside.scala": "package top\nclass Beside\n",
        "other/Beside.scala": "package other\nclass Beside; class double; class Bits8\n",
        "top/Use.scala": f"package top\n{imports}\nclass Use {{ {body} }}\n",
    }
    folder = _tree(tmp_path, {f"{MAIN}/{name}": text for name, text in files.items()})
    assert _needed(folder, f"{MAIN}/top/Use.scala") == [wanted]


def test_needs_of_needs_join_and_the_document_itself_does_not(tmp_path: Path) -> None:
    files = {
        "a/A.scala": "package a\nimport b.B\nclass A extends B\n",
        "b/B.scala": "package b\nclass B extends c.C\n",
        "c/C.scala": "package c\nclass C { type Back = a.A }\n",
    }
    folder = _tree(tmp_path, {f"{MAIN}/{name}": text for name, text in files.items()})
    assert _needed(folder, f"{MAIN}/a/A.scala") == ["b/B.scala", "c/C.scala"]
    unsaved = files["a/A.scala"].replace("import b.B\n", "class B\n")
    assert _needed(folder, f"{MAIN}/a/A.scala", unsaved) == []


def test_a_package_object_that_imports_itself(tmp_path: Path) -> None:
    text = "package object lib { import lib._; val a = 1; val b = a }\n"
    files = {f"{MAIN}/lib/package.scala": text, f"{MAIN}/Use.scala": "import lib._\nclass Use { b }\n"}
    folder = _tree(tmp_path, files)
    assert _needed(folder, f"{MAIN}/lib/package.scala") == []
    assert _needed(folder, f"{MAIN}/Use.scala") == ["lib/package.scala"]


def test_of_two_files_that_define_the_same_the_nearer_joins(tmp_path: Path) -> None:
    """Two projects in one folder: each has its own Ops, and its own package without a name."""
    files = {
        "one/src/main/scala/Use.scala": "import core.Ops\nclass Use { Ops; new Here; new Only }\n",
        "one/src/main/scala/core/Ops.scala": "package core\nobject Ops\n",
        "one/src/main/scala/Here.scala": "class Here\n",
        "two/src/main/scala/core/Ops.scala": "package core\nobject Ops\n",
        "two/src/main/scala/Here.scala": "class Here\n",
        "two/src/main/scala/Only.scala": "class Only\n",
        "build.sbt": "",
    }
    folder = _tree(tmp_path, files)
    wanted = ["one/src/main/scala/Here.scala", "one/src/main/scala/core/Ops.scala"]
    assert _needed(folder, "one/src/main/scala/Use.scala") == wanted


def test_other_source_folders_of_the_project_and_tests(tmp_path: Path) -> None:
    files = {
        "build.sbt": "",
        "core/src/main/scala/Ops.scala": "package core\nobject Ops\n",
        "top/src/main/scala/Top.scala": "package top\nimport core.Ops\nimport bench.Bench\nclass Top\n",
        "top/src/test/scala/Bench.scala": "package bench\nclass Bench { new top.Top }\n",
    }
    folder = _tree(tmp_path, files)
    assert _needed(folder, "top/src/main/scala/Top.scala") == ["core/src/main/scala/Ops.scala"]  # no test
    wanted = ["core/src/main/scala/Ops.scala", "top/src/main/scala/Top.scala"]
    assert _needed(folder, "top/src/test/scala/Bench.scala") == wanted
    (folder / "build.sbt").unlink()
    assert _needed(folder, "top/src/main/scala/Top.scala") == []


def test_links_between_source_roots_give_each_file_once(tmp_path: Path) -> None:
    files = {"core/Ops.scala": "package core\nobject Ops\n", "top/Use.scala": "package top\nclass Use { core.Ops }\n"}
    folder = _tree(tmp_path, {f"{MAIN}/{name}": text for name, text in files.items()})
    (folder / MAIN / "again").symlink_to(folder / MAIN)
    (folder / MAIN / "alias").symlink_to(folder / MAIN / "core")
    (folder / MAIN / "gone").symlink_to(folder / "nowhere")
    (folder / MAIN / "top" / "Copy.scala").symlink_to(folder / MAIN / "top" / "Use.scala")
    assert len(_needed(folder, f"{MAIN}/top/Use.scala")) == 1


def test_files_are_read_again_when_they_change_and_only_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 2000
    files = {
        f"{MAIN}/p{n}/A{n}.scala": f"package p{n}\nobject A{n} {{ val v{n} = p{n + 1}.A{n + 1} }}\n"
        for n in range(count)
    }
    folder = _tree(tmp_path, files)
    name = f"{MAIN}/p1990/A1990.scala"
    wanted = [f"p{n}/A{n}.scala" for n in range(1991, count)]
    assert _needed(folder, name) == wanted
    read: list[Path] = []
    real = index_module.text_of

    def counted(path: Path) -> str:
        read.append(path)
        return real(path)

    monkeypatch.setattr(index_module, "text_of", counted)
    assert _needed(folder, name) == wanted and read == []
    changed = folder / MAIN / "p1995" / "A1995.scala"
    changed.write_text("package p1995\nobject A1995\n")
    os.utime(changed, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert _needed(folder, name) == [f"p{n}/A{n}.scala" for n in range(1991, 1996)]
    assert set(read) == {changed}
    (folder / MAIN / "p1991" / "A1991.scala").unlink()
    assert _needed(folder, name) == []


def test_more_files_than_a_check_takes_are_said(tmp_path: Path) -> None:
    count = index_module.MAX_NEEDED + 10
    folder = _tree(
        tmp_path, {f"{MAIN}/A{n}.scala": f"package p\nclass A{n} {{ new A{n + 1} }}\n" for n in range(count)}
    )
    path = folder / MAIN / "A0.scala"
    found = index_of(neighbourhood(path).roots).needed(path, path.read_text())
    assert found.left_out and len(found.files) == index_module.MAX_NEEDED
