"""`schemas`: check conversion schemas, show what they mean, try them out."""

from pathlib import Path
from typing import TextIO

import click
from pydantic import TypeAdapter, ValidationError

from skan_receiver.cli import judge, versions
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.config import load
from skan_receiver.conversion import Problem, User, check, encode, load_folder, load_schema
from skan_receiver.conversion.editors import json_schema_text
from skan_receiver.conversion.meaning import COARSE, FINE, Value
from skan_receiver.errors import SchemaError

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
RE_ENGAGEMENT = click.option(
    "--re-engagement", is_flag=True, help="Read by the windows for re-engagements."
)


@click.group()
def schemas() -> None:
    """Check, show and publish conversion schemas."""


for command in (*versions.COMMANDS, *judge.COMMANDS):
    schemas.add_command(command)


@schemas.command("check")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@as_json
def check_schemas(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Print every mistake and warning in PATHS, files or folders (without: SKAN_SCHEMAS).

    Exit status 1 where there is a mistake; warnings alone are 0.
    """
    problems = [problem for path in paths or (load().schemas,) for problem in _problems(path)]
    for problem in problems:
        click.echo(dumps(_row(problem)) if as_json else str(problem))
    mistakes = sum(not problem.warning for problem in problems)
    click.echo(f"{mistakes} mistakes, {len(problems) - mistakes} warnings", err=True)
    raise SystemExit(1 if mistakes else 0)


def _problems(path: Path) -> list[Problem]:
    if not path.is_dir():
        return list(check(path))
    files = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml"))
    found = [problem for file in files for problem in check(file)]
    if any(not problem.warning for problem in found):
        return found
    return found + _twice(path)


def _twice(folder: Path) -> list[Problem]:
    """What is wrong with a folder whose every file is right: two schemas for one app."""
    try:
        load_folder(folder)
    except SchemaError as error:
        return [problem for problem in error.problems if isinstance(problem, Problem)]
    return []


def _row(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "field": problem.field,
        "what": problem.what,
        "warning": problem.warning,
    }


@schemas.command("show")
@click.argument("file", type=FILE)
@RE_ENGAGEMENT
@as_json
def show_schema(file: Path, *, re_engagement: bool, as_json: bool) -> None:
    """Print what every value in FILE means, in words."""
    meanings = load_schema(file).meanings(_conversion(re_engagement=re_engagement))
    rows = [{**meaning.as_dict(), "meaning": str(meaning)} for meaning in meanings]
    show(rows, ("window", "value", "label", "meaning"), as_json=as_json)


def _conversion(*, re_engagement: bool) -> str:
    return "re-engagement" if re_engagement else "install"


@schemas.command("compile")
@click.argument("file", type=FILE)
def compile_schema(file: Path) -> None:
    """Print FILE as a program reads it: one JSON object with the meaning of every value."""
    click.echo(dumps(load_schema(file).as_dict()))


@schemas.command("decode")
@click.argument("file", type=FILE)
@click.argument("values", nargs=-1, required=True)
@click.option("--window", type=click.IntRange(0, 2), default=0, show_default=True)
@RE_ENGAGEMENT
@as_json
def decode_values(
    file: Path, values: tuple[str, ...], *, window: int, re_engagement: bool, as_json: bool
) -> None:
    """Print what VALUES (0 to 63, low, medium, high) mean in one window of FILE.

    Exit status 1 unless all have a meaning.
    """
    schema, conversion = load_schema(file), _conversion(re_engagement=re_engagement)
    read = [(value, schema.meaning(window, value, conversion)) for value in map(_value, values)]
    rows = [
        {"value": value, "label": meaning.label, "words": str(meaning), **meaning.as_dict()}
        if meaning
        else {"value": value, "label": "", "words": "value not in schema"}
        for value, meaning in read
    ]
    show(rows, ("value", "label", "words"), as_json=as_json)
    raise SystemExit(0 if all(meaning for _, meaning in read) else 1)


def _value(text: str) -> Value:
    if text in COARSE:
        return text
    if text.isdecimal() and int(text) in FINE:
        return int(text)
    raise click.BadParameter(f"{text} is no value: 0 to 63, low, medium or high")


@schemas.command("encode")
@click.argument("file", type=FILE)
@click.argument("users", type=click.File("r", encoding="utf-8"))
@click.option(
    "--version",
    type=click.Choice(["1.0", "2.0", "2.1", "2.2", "3.0", "4.0", "adattributionkit"]),
    default="4.0",
    show_default=True,
    help="Up to 3.0, values can only rise and a timer of 24 hours ends the window.",
)
def encode_users(file: Path, users: TextIO, version: str) -> None:
    """Print the values that the app would set for each of USERS (NDJSON, `-` for standard input).

    A user is {"events": [{"name": "purchase", "hours": 3, "revenue": 4.99, "currency": "EUR"}],
    "flags": [], "installed": "2026-01-31", "conversion_type": "download"}; hours are since the
    install, and all but events' name and hours can be left out.
    """
    schema = load_schema(file)
    for number, line in enumerate(users, start=1):
        if line.strip():
            encoded = encode(_user(line, number), schema, version=version)
            click.echo(dumps({"user": number, "windows": [each.as_dict() for each in encoded]}))


def _user(line: str, number: int) -> User:
    try:
        return TypeAdapter(User).validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "user"
        raise click.ClickException(f"line {number}: {where}: {first['msg']}") from None


@schemas.command("json-schema")
def json_schema() -> None:
    """Print the JSON Schema of schema files, with which editors complete and check them."""
    click.echo(json_schema_text(), nl=False)
