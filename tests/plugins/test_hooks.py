"""One test for each hook, named after it, and one that no hook is without."""

from __future__ import annotations

import types
import warnings
from typing import Any

import click
import pytest
from click.testing import CliRunner

from foretell import ComputationGraph, ExtraTrees, GraphStatistics, Node
from foretell.capture import nasbench201
from foretell.capture.families import FAMILIES, Family
from foretell.encoders import ENCODERS
from foretell.operations import OPERATIONS, OperationSpec, unregister_operation
from foretell.surrogates import SURROGATES
from foretell_plugins import Adapter, Plugins, hookimpl, hookspecs
from foretell_plugins.cli import build_cli, main
from foretell_plugins.registry import PluginWarning

CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


def plugin(hook: str, body: Any) -> types.ModuleType:
    """A module with one hook."""
    module = types.ModuleType("fake")
    if hook == "foretell_register_commands":

        def implementation(cli: click.Group) -> None:
            body(cli)
    else:

        def implementation(register: Any) -> None:  # type: ignore[misc]
            body(register)

    implementation.__name__ = hook
    setattr(module, hook, hookimpl(implementation))
    return module


def admitted(hook: str, body: Any) -> Plugins:
    plugins = Plugins(environment={"FORETELL_STRICT_PLUGINS": "1"}, entry_points=[])
    record = plugins.admit("fake", lambda: plugin(hook, body))
    assert record.status == "ok"
    assert record.hooks == (hook,)
    return plugins


def test_foretell_register_adapters() -> None:
    adapter = Adapter(name="mine", kind="sampler", requires=("click>=8",), target="click:Group")
    plugins = admitted("foretell_register_adapters", lambda register: register(adapter))
    assert plugins.adapters["mine"].load() is click.Group


def test_foretell_register_encoders() -> None:
    admitted("foretell_register_encoders", lambda register: register("mine-encoder", lambda c: GraphStatistics()))
    assert isinstance(ENCODERS.make("mine-encoder", {}), GraphStatistics)


def test_foretell_register_surrogates() -> None:
    admitted("foretell_register_surrogates", lambda register: register("mine-trees", lambda c: ExtraTrees(**c)))
    assert SURROGATES.make("mine-trees", {"n_trees": 7}) == ExtraTrees(n_trees=7)


def test_foretell_register_operations() -> None:
    spec = OperationSpec(1234, "MyFusedOp")
    admitted("foretell_register_operations", lambda register: register(spec))
    try:
        graph = ComputationGraph.from_nodes([Node("MyFusedOp", (1, 1, 1), (1, 1, 1))], [])
        assert graph.op_counts() == {"MyFusedOp": 1}
    finally:
        unregister_operation(spec)
    assert "MyFusedOp" not in OPERATIONS


def test_foretell_register_families() -> None:
    family = Family("my_plain", nasbench201.graph, parse=str, sample=lambda rng: (0,) * 6)
    plugins = admitted("foretell_register_families", lambda register: register(family))
    assert FAMILIES["my_plain"] is family
    shown = CliRunner().invoke(build_cli(plugins), ["show", f"my_plain:{CELL}", "--no-drawing"])
    assert f"{nasbench201.graph(CELL).params:,}" in shown.output


def test_foretell_register_benchmarks() -> None:
    plugins = admitted("foretell_register_benchmarks", lambda register: register("mine", dict))
    assert plugins.benchmarks["mine"] is dict


def test_foretell_register_commands() -> None:
    command = click.Command("mine", callback=lambda: click.echo("done"))
    plugins = admitted("foretell_register_commands", lambda cli: cli.add_command(command))
    assert CliRunner().invoke(build_cli(plugins), ["mine"]).output == "done\n"


def test_every_hook_has_a_test_and_a_sentence() -> None:
    hooks = [name for name in dir(hookspecs) if name.startswith("foretell_")]
    assert hooks
    for hook in hooks:
        assert f"test_{hook}" in globals()
        assert (getattr(hookspecs, hook).__doc__ or "").strip()


def test_a_name_that_is_taken_costs_only_the_second_plugin() -> None:
    plugins = Plugins(environment={}, entry_points=[])
    adapter = Adapter(name="same", kind="sampler", requires=(), target="click:Group")
    first = plugins.admit("one", lambda: plugin("foretell_register_adapters", lambda r: r(adapter)), "dist-one", "1")
    with pytest.warns(PluginWarning, match=r"'two' of dist-two 2 .*'same' already comes from 'one' of dist-one"):
        second = plugins.admit(
            "two", lambda: plugin("foretell_register_adapters", lambda r: r(adapter)), "dist-two", "2"
        )
    assert (first.status, second.status) == ("ok", "broken")
    assert list(plugins.adapters) == ["same"]


def test_a_built_in_name_cannot_be_taken() -> None:
    plugins = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="'extra_trees' already comes from 'foretell'"):
        plugins.admit("x", lambda: plugin("foretell_register_surrogates", lambda r: r("extra_trees", dict)))
    assert isinstance(SURROGATES.make("extra_trees", {}), ExtraTrees)


def test_a_built_in_family_cannot_be_taken() -> None:
    plugins = Plugins(environment={}, entry_points=[])
    family = Family("nasbench201", dict, parse=str, sample=dict)
    with pytest.warns(
        PluginWarning, match="family names must be unique, but 'nasbench201' already comes from 'foretell'"
    ):
        plugins.admit("x", lambda: plugin("foretell_register_families", lambda register: register(family)))
    assert FAMILIES["nasbench201"].graph is nasbench201.graph


def test_a_command_that_raises_or_takes_a_name_is_set_aside_and_the_rest_stays() -> None:
    plugins = Plugins(environment={}, entry_points=[])

    def steal(cli: click.Group) -> None:
        cli.add_command(click.Command("plugins"))

    def fail(cli: click.Group) -> None:
        cli.add_command(click.Command("half"))
        raise RuntimeError("no")

    plugins.admit("thief", lambda: plugin("foretell_register_commands", steal))
    plugins.admit("faulty", lambda: plugin("foretell_register_commands", fail))
    with pytest.warns(PluginWarning) as caught:
        cli = build_cli(plugins)
    assert len(caught) == 2
    assert set(cli.commands) == {
        "plugins",
        "adapters",
        "bench",
        "explain",
        "finetune",
        "predict",
        "pretrain",
        "rank",
        "search",
        "show",
    }
    assert [r.status for r in plugins.records] == ["broken", "broken"]
    assert CliRunner().invoke(cli, ["plugins"], obj=plugins).exit_code == 0


def test_a_plugin_without_hooks_is_told_so() -> None:
    plugins = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="mark functions with foretell_plugins.hookimpl"):
        plugins.admit("empty", lambda: types.ModuleType("empty"))


def test_a_second_registry_in_the_same_process_knows_a_plugin_again() -> None:
    def register_all(register: Any) -> None:
        register("again-encoder", lambda c: GraphStatistics())  # another function at every call

    hook = "foretell_register_encoders"
    for _ in range(2):
        plugins = Plugins(environment={"FORETELL_STRICT_PLUGINS": "1"}, entry_points=[])
        assert plugins.admit("again", lambda: plugin(hook, register_all), "dist", "1").status == "ok"
    lenient = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="'again-encoder' already comes from 'again' of dist: rename it"):
        lenient.admit("other", lambda: plugin(hook, register_all), "other-dist", "1")


def test_a_name_registered_twice_by_one_plugin_is_refused() -> None:
    def twice(register: Any) -> None:
        register("twice-encoder", lambda c: GraphStatistics())
        register("twice-encoder", lambda c: GraphStatistics())

    plugins = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="'twice-encoder' already comes from 'fake' of dist: rename it"):
        plugins.admit("fake", lambda: plugin("foretell_register_encoders", twice), "dist", "1")
    assert "twice-encoder" not in ENCODERS


def test_an_operation_whose_id_is_taken_leaves_none_of_the_plugin_s_behind() -> None:
    def add(register: Any) -> None:
        register(OperationSpec(1500, "FirstOp"))
        register(OperationSpec(OPERATIONS["Conv"].id, "SecondOp"))

    plugins = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="name and id must be unique"):
        plugins.admit("fake", lambda: plugin("foretell_register_operations", add))
    assert not {"FirstOp", "SecondOp"} & set(OPERATIONS)


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        ("foretell_register_adapters", ("click:Group",)),
        ("foretell_register_operations", ("MyOp",)),
        ("foretell_register_families", ("mine",)),
        ("foretell_register_encoders", ("mine", None)),
        ("foretell_register_surrogates", ("", dict)),
        ("foretell_register_benchmarks", (dict, "mine")),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused_when_it_is_registered(hook: str, arguments: tuple[Any, ...]) -> None:
    plugins = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="`register` here takes .*: mend the plugin"):
        plugins.admit("fake", lambda: plugin(hook, lambda register: register(*arguments)))


def test_a_plugin_that_exits_does_not_stop_its_host() -> None:
    def leave() -> object:
        raise SystemExit("not on this machine")

    plugins = Plugins(environment={}, entry_points=[])
    with pytest.warns(PluginWarning, match="SystemExit: not on this machine"):
        assert plugins.admit("leaver", leave).status == "broken"


def test_a_command_s_exit_code_is_the_program_s(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.pass_context
    def three(context: click.Context) -> None:
        context.exit(3)

    plugins = admitted("foretell_register_commands", lambda cli: cli.add_command(three))
    monkeypatch.setattr("foretell_plugins.cli.Plugins", lambda: plugins)
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # `main` replaces it: put it back afterwards
    with pytest.raises(SystemExit) as left:
        main(["three"])
    assert left.value.code == 3
