"""``schema`` and ``doctor``: what a file may hold, and whether machine and store are well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pokeopt.cli.options import Home, Json, Storage, default_home, store_at
from pokeopt.cli.output import print_json, print_table, say


def schema(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it there.", show_default="standard output"
        ),
    ] = None,
) -> int:
    """Print the JSON schema of the search-space file.

    It states every default. An editor that knows YAML schemas completes keys and marks errors with it.
    """
    import json

    from pokeopt.spec import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if output is None:
        say(text)
        return 0
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text + "\n", encoding="utf-8")
    say(str(output))
    return 0


def doctor(
    with_store: Annotated[bool, typer.Option("--store", help="Also examine the store.")] = False,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Examine the machine, and with --store the store.

    Exit code 1 if something needs mending.
    """
    from pokeopt.doctor import examine_machine, examine_store

    findings = list(examine_machine(home or default_home()))
    if with_store:
        findings += examine_store(store_at(storage, home))
    if as_json:
        print_json([{"name": f.name, "value": f.value, "mend": f.mend} for f in findings])
    else:
        print_table(["", "", ""], [[f.name, f.value, f.mend] for f in findings])
    return 0 if all(finding.is_good for finding in findings) else 1
