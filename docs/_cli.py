"""The command line's reference, from its own parser."""

from __future__ import annotations

import argparse
import textwrap


def commands() -> str:
    """Return what each command takes."""
    from napari_diffusion.cli import parser

    whole = parser()
    parts = []
    for name, command, told in _subcommands(whole):
        usage = textwrap.fill(
            _usage(command), 78, subsequent_indent=" " * 8, break_long_words=False
        )
        description = command.description or told
        parts.append(
            f"## {name}\n\n{_sentence(description)}\n\n```text\n{usage}\n```\n\n{_table(command)}"
        )
        if command.epilog:
            parts.append(f"{command.epilog}\n")
    return "\n".join(parts) + (f"\n{whole.epilog}\n" if whole.epilog else "")


def _subcommands(whole: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser, str]]:
    # argparse has no public way to its subparsers.
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {each.dest: each.help or "" for each in action._choices_actions}
            return [(name, made, told.get(name, "")) for name, made in action.choices.items()]
    return []


def _usage(command: argparse.ArgumentParser) -> str:
    command.color = False  # type: ignore[attr-defined] # Python 3.14 colours it
    return " ".join(command.format_usage().removeprefix("usage: ").split())


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + "." * (not text.endswith("."))


def _table(command: argparse.ArgumentParser) -> str:
    rows = ["| argument | meaning |", "|---|---|"]
    for action in command._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        shown = " ".join(f"`{each}`" for each in _names(action))
        told = (action.help or "").replace("%%", "%").replace("|", "&#124;")
        rows.append(f"| {shown} | {told} |")
    return "\n".join(rows) + "\n"


def _names(action: argparse.Action) -> list[str]:
    if not action.option_strings:
        return [str(action.metavar or action.dest)]
    if action.nargs == 0:
        return list(action.option_strings)
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    value = action.metavar or choices or action.dest.upper()
    takes_one = not isinstance(action, argparse.BooleanOptionalAction)
    return [f"{option} {value}" if takes_one else option for option in action.option_strings]
