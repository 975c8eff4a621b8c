"""Prompts: rows of several shapes read as texts, and combined at random into groups that share no prompt."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import parse_json, read_bytes, write_atomic

TRAIN_FILE, VALIDATION_FILE = "train_prompts.jsonl", "val_prompts.jsonl"
MAX_PROMPT_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Group:
    """Prompts of one task that together condition one adapter; task "" where the data names none."""

    prompts: tuple[str, ...]
    task: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` wrote."""

    train: tuple[Group, ...]
    validation: tuple[Group, ...]
    duplicates: int
    left_over: int
    """prompts that filled no group"""


def read_rows(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of each line that is not blank. Raises DataError."""
    path = Path(path)
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read: {getattr(error, 'strerror', None) or error}", path=path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise DataError(f"is not JSON: {error}", path=path, line=number) from error
        if not isinstance(row, dict):
            raise DataError("a JSON object was expected", path=path, line=number)
        yield number, row


def prompt_of(row: Mapping[str, Any]) -> str:
    """The text of a row: {prompt}, {messages} (what the user says) or {question, choices} as in ARC.

    Raises DataError without a place for anything else and for an empty text.
    """
    if "messages" in row:
        text = "\n".join(_user_texts(row["messages"]))
    elif "question" in row:
        text = _question(row)
    elif "prompt" in row:
        text = row["prompt"]
    else:
        raise DataError(f"has none of prompt, messages, question; its keys are {', '.join(sorted(map(str, row)))}")
    if not isinstance(text, str):
        raise DataError(f"its prompt is no text but {type(text).__name__}")
    if not text.strip():
        raise DataError("its prompt is empty")
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise DataError(f"its prompt has {len(text)} characters, over {MAX_PROMPT_CHARACTERS}")
    return text.strip()


def _user_texts(messages: Any) -> list[str]:
    try:
        return [str(message["content"]) for message in messages if message["role"] == "user"]
    except (TypeError, KeyError) as error:
        raise DataError("its messages are no list of {role, content}") from error


def _question(row: Mapping[str, Any]) -> Any:
    question: Any = row["question"]
    choices: Any = row.get("choices")
    if isinstance(question, dict):  # {stem, choices: [{text, label}]}, ARC's first form
        choices = question.get("choices", choices)
        question = question.get("stem")
    if choices is None:
        return question
    if isinstance(choices, dict):  # {text: [...], label: [...]}
        texts, labels = choices.get("text", []), choices.get("label", [])
    elif isinstance(choices, list):
        texts = [c.get("text") if isinstance(c, dict) else c for c in list[Any](choices)]
        labels = [
            c.get("label") if isinstance(c, dict) else chr(ord("A") + i) for i, c in enumerate(list[Any](choices))
        ]
    else:
        raise DataError("its choices are neither a list nor {text, label}")
    if not isinstance(texts, list) or not isinstance(labels, list) or len(texts) != len(labels):
        raise DataError("its choices have not as many labels as texts")
    return "\n".join([str(question or ""), *(f"{label}. {text}" for label, text in zip(labels, texts, strict=True))])


def prepare(
    source: str | Path, output_dir: str | Path, *, samples_per_prompt: int = 4, test_ratio: float = 0.1, seed: int = 0
) -> Prepared:
    """Read prompts, part them into training and validation, combine each part into groups; write both files.

    No prompt is in two groups, none in both parts. Raises DataError (file and line) for bad rows and where there are
    too few for one group in each part.
    """
    if samples_per_prompt < 1 or not 0 < test_ratio < 1:
        raise DataError("--samples-per-prompt is at least 1, --test-ratio lies between 0 and 1")
    by_task, duplicates = _by_task(source)
    draw = random.Random(seed)
    parts: tuple[list[Group], list[Group]] = ([], [])
    for task, prompts in sorted(by_task.items()):
        draw.shuffle(prompts)
        n_test = max(samples_per_prompt, round(len(prompts) * test_ratio))
        if len(prompts) < n_test + samples_per_prompt:
            raise DataError(
                f"{len(prompts)} different prompts{f' of task {task!r}' if task else ''}: "
                f"{n_test + samples_per_prompt} are needed for a group of {samples_per_prompt} in each part",
                path=source,
            )
        for part, members in zip(parts, (prompts[n_test:], prompts[:n_test]), strict=True):
            whole = len(members) - len(members) % samples_per_prompt
            part += [
                Group(tuple(members[at : at + samples_per_prompt]), task) for at in range(0, whole, samples_per_prompt)
            ]
    for part in parts:
        draw.shuffle(part)
    used = sum(len(group.prompts) for part in parts for group in part)
    for name, part in zip((TRAIN_FILE, VALIDATION_FILE), parts, strict=True):
        write_groups(Path(output_dir) / name, part)
    left_over = sum(map(len, by_task.values())) - used
    return Prepared(tuple(parts[0]), tuple(parts[1]), duplicates, left_over)


def _by_task(source: str | Path) -> tuple[dict[str, list[str]], int]:
    found: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    duplicates = 0
    for number, row in read_rows(source):
        try:
            text = prompt_of(row)
        except DataError as error:
            raise DataError(str(error), path=source, line=number) from error
        task = str(row.get("task", ""))
        if (task, text) in seen:
            duplicates += 1
            continue
        seen.add((task, text))
        found.setdefault(task, []).append(text)
    if not found:
        raise DataError("holds no prompts", path=source)
    return found, duplicates


def write_groups(path: str | Path, groups: Sequence[Group]) -> None:
    """One JSON object a line: {"prompts": [...], "task": "..."}."""
    rows = [
        json.dumps({"prompts": list(group.prompts)} | ({"task": group.task} if group.task else {}), ensure_ascii=False)
        for group in groups
    ]
    write_atomic(path, "".join(f"{row}\n" for row in rows))


def read_groups(path: str | Path) -> list[Group]:
    """What `write_groups` wrote, or rows of single prompts as groups of one. Raises DataError."""
    groups = []
    for number, row in read_rows(path):
        try:
            if "prompts" in row:
                if not isinstance(row["prompts"], list) or not row["prompts"]:
                    raise DataError("its prompts are no list, or an empty one")
                texts = tuple(prompt_of({"prompt": text}) for text in row["prompts"])
            else:
                texts = (prompt_of(row),)
        except DataError as error:
            raise DataError(str(error), path=path, line=number) from error
        groups.append(Group(texts, str(row.get("task", ""))))
    if not groups:
        raise DataError("holds no prompts", path=path)
    return groups


def read_prompt_file(path: str | Path) -> tuple[str, ...]:
    """Prompts for one adapter: rows of a .jsonl file, else a text with one prompt a line. Raises DataError."""
    path = Path(path)
    if path.suffix == ".jsonl":
        return tuple(text for group in read_groups(path) for text in group.prompts)
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read: {getattr(error, 'strerror', None) or error}", path=path) from error
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise DataError("holds no prompts", path=path)
    return found
