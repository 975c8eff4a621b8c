"""Modules whose parameters nobody gave, or whose defaults lead nowhere: as the first place of the project makes them.

What is tried and what is taken follows from the request alone (`calls.tries_of`), never from checks before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..compile.checker import ModuleClass
from ..compile.elaborator import Elaborated
from .calls import Call


@dataclass(frozen=True, slots=True)
class Instance:
    """A module that a call makes; target: the class that runs it."""

    target: str
    module: ModuleClass
    call: Call


@dataclass
class Values:
    """Instances that calls of the project make, run when they are wanted.

    classes: those that were compiled, tries among them; run: elaborates some; refused: whether firtool refuses a
    circuit; places: what stands for which module; notes: where values come from.
    """

    tries: Sequence[Call]
    classes: Iterable[str]
    run: Callable[[list[str]], list[Elaborated]]
    refused: Callable[[str], bool]
    places: dict[str, ModuleClass] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def instances(self, modules: Iterable[ModuleClass]) -> list[Instance]:
        """Of each module, the first call that compiled: there is a class of it."""
        wanted = {module.name: module for module in modules}
        targets = {name.rpartition(".")[2]: name for name in self.classes}
        found: dict[str, Instance] = {}
        for call in self.tries:
            target, module = targets.get(f"{call.object_name}$"), wanted.get(call.class_name)
            if target is not None and module is not None:
                found.setdefault(call.class_name, Instance(target, module, call))
        return list(found.values())

    def of_lacking(self, modules: Iterable[ModuleClass]) -> list[Elaborated]:
        """Modules that lack values, with those of the project."""
        made = self.instances(modules)
        results = self.run([one.target for one in made])
        for one, item in zip(made, results, strict=True):
            self._take(one, item.ending == "ok", "")
        return results

    def instead_of_defaults(
        self, modules: Mapping[str, ModuleClass], results: Sequence[Elaborated]
    ) -> list[Elaborated]:
        """The results, where defaults fail and the values of the project do not, with the latter.

        A default such as `size = 0` may be there for the sake of the syntax.
        """
        failed = {modules[item.target].name: item for item in results if self._fails(modules.get(item.target), item)}
        made = self.instances(modules[item.target] for item in failed.values())
        kept = list(results)
        for one, item in zip(made, self.run([one.target for one in made]), strict=True):
            if item.ending == "ok" and not self.refused(item.chirrtl):
                self._take(one, True, ", as its defaults make no circuit")
                kept[kept.index(failed[one.module.name])] = item
        return kept

    def _fails(self, module: ModuleClass | None, item: Elaborated) -> bool:
        if module is None or not module.parameters or not self.instances([module]):
            return False
        return item.ending == "fail" or (item.ending == "ok" and self.refused(item.chirrtl))

    def _take(self, one: Instance, worked: bool, reason: str) -> None:
        self.places[one.target] = one.module
        if worked:
            self.notes.append(
                f"{one.module.name} was elaborated as {one.call.expression}, as in {one.call.origin}{reason}"
            )
