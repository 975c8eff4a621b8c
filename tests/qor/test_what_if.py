"""What other pragmas make of a design: against the edited text, the front against brute force, the commands."""

import json
import random
from itertools import product
from pathlib import Path

import pytest

from hwml_sdk import explore, what_if
from hwml_sdk.cli import main
from hwml_sdk.document import apply_edits
from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.advice.bench import Bench
from hwml_sdk.qor.advice.choice import asked_for, order
from hwml_sdk.qor.advice.explore import Exploration
from hwml_sdk.qor.advice.page import page
from hwml_sdk.qor.advice.search import front, search
from hwml_sdk.qor.advice.variants import Variants
from hwml_sdk.qor.model import given_source

# Loops without braces, a call, a nest, a pragma that is there, an array that is split: what edits have to get right.
KERNEL = """static int scale(int x) { return x * 3; }

void top(int a[64][32], int w[32], int out[64]) {
  int part[64];
#pragma HLS ARRAY_PARTITION variable=part type=cyclic factor=2
  rows: for (int i = 0; i < 64; i++) {
    int s = 0;
    for (int j = 0; j < 32; j++)
      s += a[i][j] * w[j];
    part[i] = s;
  }
  last: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=2
    out[i] = scale(part[i]); }
}
"""
TINY = """void top(int a[64], int b[64]) {
  work: for (int i = 0; i < 64; i++) {
    b[i] = a[i] + 1;
  }
}
"""
MERLIN = """#pragma ACCEL kernel
void top(int a[64][64], int b[64]) {
  rows: for (int i = 0; i < 64; i++) {
    b[i] = 0;
    for (int j = 0; j < 64; j++) {
      b[i] += a[i][j];
    }
  }
}
"""
# A product in a variable of a loop's body, and an array that is declared behind another line.
BOUND = """void top(const int a[64], const int b[64], int y[64]) {
  int bias = 3;
  int part[64];
  for (int i = 0; i < 64; i++) {
    int p = a[i] * b[i];
    part[i] = p + bias;
  }
  for (int i = 0; i < 64; i++) { y[i] = part[63 - i]; }
}
"""
PRODUCT = """void top(const int a[64], const int b[64], int y[64]) {
  for (int i = 0; i < 64; i++) {
    int p = a[i] * b[i];
    y[i] = p + 1;
  }
}
"""
PART = "xczu9eg-ffvb1156-2-i"


def variants(source: str, limits: dict[str, float] | None = None) -> Variants:
    return Variants.of(Bench.of(given_source(source, part=PART), 1000), limits or {})


@pytest.mark.parametrize("source", [KERNEL, MERLIN, BOUND], ids=["vitis", "merlin", "bound"])
def test_a_variant_is_what_its_edited_text_is(source: str) -> None:
    """The program is read once and loops are kept: the same figures as reading and estimating the edited text."""
    made = variants(source)
    chance = random.Random(7)
    search(made, 60)
    for variant in chance.sample(made.known(), 25):
        again = made.bench.after(made.fix(variant.picks).edits)
        assert again is not None, made.pragmas(variant.picks)
        assert again.amounts == variant.amounts, made.pragmas(variant.picks)


def test_products_leave_the_multipliers() -> None:
    """No DSP is allowed: the product of `p` is bound to logic, below the line that declares p (UG1399, BIND_OP)."""
    found = what_if(PRODUCT, part=PART, budget={"dsp": 0}, count=100)
    assert found.present.dsp
    assert found.options
    for option in found.options:
        assert option.after.dsp == 0
        assert "products of p: #pragma HLS BIND_OP variable=p op=mul impl=fabric" in option.pragmas
        lines = apply_edits(PRODUCT, option.fix.edits).splitlines()
        assert lines.index("#pragma HLS BIND_OP variable=p op=mul impl=fabric") > lines.index(
            "    int p = a[i] * b[i];"
        )


def test_a_pragma_of_an_array_stands_below_its_declaration() -> None:
    """Before it nobody knows the name: the tool refuses such a text."""
    made = variants(BOUND)
    place = next(index for index, slot in enumerate(made.slots) if slot.variable == "part")
    picks = tuple(int(index == place) for index in range(len(made.slots)))
    lines = apply_edits(BOUND, made.fix(picks).edits).splitlines()
    assert lines[lines.index("  int part[64];") + 1].startswith("#pragma HLS ARRAY_PARTITION variable=part ")


def test_tiles_are_among_the_choices_of_merlin() -> None:
    titles = {choice.title for slot in variants(MERLIN).slots for choice in slot.choices}
    assert "tile loop 'rows' by 8" in titles


def test_the_program_stays_as_it_was() -> None:
    made = variants(KERNEL)
    before = made.predict(made.present)
    pragmas = [list(loop.pragmas) for loop in made.bench.design.program.loops()]
    search(made, 40)
    assert [list(loop.pragmas) for loop in made.bench.design.program.loops()] == pragmas
    assert made.bench.present.amounts == before.amounts


def test_few_variants_are_all_tried_and_the_front_is_brute_force() -> None:
    made = variants(TINY)
    assert search(made, 2000)
    known = {variant.picks: variant for variant in made.known()}
    assert set(known) == set(product(*(range(len(slot.choices)) for slot in made.slots)))
    best = {(variant.cycles, variant.share) for variant in front(known.values())}
    beaten = {
        (one.cycles, one.share) for one in known.values()
        if any(other.cycles <= one.cycles and other.share <= one.share
               and (other.cycles, other.share) != (one.cycles, one.share) for other in known.values())
    }  # fmt: skip
    assert best == {(one.cycles, one.share) for one in known.values()} - beaten


def test_what_if_finds_the_copies_and_their_ports() -> None:
    """64 rounds of 1 read and 1 write: k copies in a pipeline take 64 / k rounds where the arrays are split."""
    found = what_if(TINY, "top", part=PART)
    best = found.options[0]
    assert found.present.latency_cycles is not None and best.after.latency_cycles is not None
    assert best.after.latency_cycles < 16 < 64 < found.present.latency_cycles
    assert best.prediction is not None and "fewer cycles" in best.fix.title
    changed = apply_edits(TINY, best.fix.edits)
    assert "#pragma HLS UNROLL factor=" in changed or "#pragma HLS UNROLL\n" in changed


def test_a_budget_is_kept() -> None:
    present = what_if(TINY, "top", part=PART).present
    assert present.lut is not None
    limit = present.lut * 1.5
    found = what_if(TINY, "top", part=PART, budget={"lut": limit})
    assert all(option.after.lut is not None and option.after.lut <= limit for option in found.options)
    assert not found.unmet


def test_a_budget_that_nothing_meets_is_said() -> None:
    found = what_if(TINY, "top", part=PART, budget={"lut": 3, "dsp": "60%"})
    assert found.options == ()
    assert found.unmet.startswith("nothing of what was tried fits: LUT (at least ") and "DSP" not in found.unmet


@pytest.mark.parametrize("budget", [{"luts": 4}, {"lut": "much"}, {"lut": "-1"}, {"lut": "nan"}, {"dsp": "inf"}])
def test_wrong_budgets(budget: dict[str, str | float]) -> None:
    with pytest.raises(ConfigError, match="budget of"):
        what_if(TINY, budget=budget, part=PART)


def test_loops_without_bound_are_no_error() -> None:
    found = what_if("void top(int *a, int n) {\n  for (int i = 0; i < n; i++) {\n    a[i] += 1;\n  }\n}\n", part=PART)
    assert found.present.latency_cycles is None and found.options == ()


# -- explore -----------------------------------------------------------------------------------------------------------


def explored(source: str, **options: object) -> Exploration:
    return explore(source, "top", part=PART, **options)  # type: ignore[arg-type]


def test_a_later_run_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = explored(KERNEL, count=30, state=state)
    second = explored(KERNEL, count=60, state=state)
    assert len(first.points) == 30 and len(second.points) == 60
    assert {point.pragmas for point in first.points} <= {point.pragmas for point in second.points}


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format":1,"mark":"x","variants":[]}', "\x00"])
def test_a_state_of_something_else_is_refused(content: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no state of this design"):
        explored(TINY, state=state)
    assert state.read_text(encoding="utf-8") == content


def test_the_page_stands_alone() -> None:
    found = explored(KERNEL, count=200)
    text = page(found)
    assert len(text.encode()) < 1_500_000
    assert not [
        word
        for word in ("http://", "https://", "@import", '<link rel="style', "src=")
        if word in text.replace("http://www.w3.org/2000/svg", "")
    ]
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert data["top"] == "top" and [point for point in data["points"] if point["present"]]
    assert data["points"][0]["diff"].startswith("--- a/")


def test_nothing_of_the_source_is_markup(tmp_path: Path) -> None:
    path = tmp_path / "</script><b>&.cpp"
    path.parent.mkdir(parents=True, exist_ok=True)
    given = explored(TINY)
    text = page(Exploration(str(path), "<i>", *(getattr(given, n) for n in list(Exploration.__slots__)[2:])))
    assert "<b>" not in text and "<i>" not in text


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "k.cpp", tmp_path / "out.html"
    path.write_text(TINY, encoding="utf-8")
    common = ["qor", "explore", str(path), "--top", "top", "--count", "50"]
    assert main([*common, "--html", str(out)]) == 0
    assert "<!doctype html>" in out.read_text(encoding="utf-8")
    assert "of the part" in capsys.readouterr().out
    assert main([*common, "--csv"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "latency_cycles,LUT,DSP,FF,bram_18k,share,fits,front,pragmas" and len(rows) == 51
    assert main([*common, "--json", "--budget-lut", "60%"]) == 0
    assert json.loads(capsys.readouterr().out)["tried"] == 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget-lut", "1"], "nothing of what was tried fits: LUT"),
        (["--budget-lut", "x"], "budget of lut 'x'"),
        (["--count", "0"], "--count 0: at least 1"),
        (["--json", "--csv"], "--json and --csv: choose one"),
        (["--html", "k.cpp"], "k.cpp is the source itself"),
        (["--state", "k.cpp"], "k.cpp is the source itself"),
    ],
)
def test_wrong_use_is_one_line_and_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("k.cpp").write_text(TINY, encoding="utf-8")
    assert main(["qor", "explore", "k.cpp", "--top", "top", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert Path("k.cpp").read_text(encoding="utf-8") == TINY


UNREAD = "void helper(int v[24]);\nvoid top(int v[24]) {\n  helper(v);\n}\n"


def test_what_was_not_read_is_within_no_budget() -> None:
    found = explored(UNREAD, budget={"lut": 100})
    assert not found.front
    assert "LUT is not known" in found.unmet


def test_what_was_not_read_takes_no_share_of_the_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(UNREAD)
    assert main(["qor", "explore", str(path), "--top", "top"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("the design as it is"))
    assert row.split()[-1] == "?" and "0" not in row
    found = explore(path, "top")
    assert "no front" in found.unknown and not found.front
    point = found.to_dict()["points"][0]
    assert (point["share"], point["fits"], point["front"], point["LUT"]) == (None, None, False, None)
    assert main(["qor", "why", str(path), "--top", "top"]) == 0
    assert "not read" in capsys.readouterr().out


def test_what_cannot_be_told_apart_is_ordered_by_what_is_asked_for() -> None:
    """Cycles within 20 %: more pipelines first, then fewer cycles; three doublings of a loop are one pipeline."""
    designs = {"none": (1000.0, 0), "one": (1040.0, 1), "copies": (1030.0, 3 / 3), "far": (4000.0, 9)}
    ordered = sorted(designs, key=lambda name: order(*designs[name]))
    assert ordered == ["copies", "one", "none", "far"]
    assert asked_for(1, 3) == 2 and order(float("inf"), 9) > order(1e12, 0)
