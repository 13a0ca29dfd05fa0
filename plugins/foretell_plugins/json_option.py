"""The option by which every command prints its result for programs instead of people."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
"""Sets the argument `as_json`; nothing but one JSON value then goes to standard output."""
