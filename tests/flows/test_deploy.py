"""`make deploy` on a server where people have set things: all of that stays, the code's part comes up to date."""

import sys

import pytest

from tests.flows.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

NIGHTLY = "sweep/benchmark"
CODE = {"parameter_openapi_schema", "updated", "status", "last_polled"}  # what a deployment may change, and clocks


def set_by_a_person(stack: Stack) -> None:
    """All that Prefect's pages offer on a deployment."""
    found = stack.deployment(NIGHTLY)
    place = f"deployments/{found['id']}"
    stack.ask(f"{place}/schedules/{found['schedules'][0]['id']}", {"active": True}, "PATCH")
    own = {"schedule": {"cron": "30 4 * * 1", "timezone": "Europe/Berlin"}, "active": True}
    stack.ask(f"{place}/schedules", [own])
    stack.ask(
        place,
        {
            "parameters": {"name": "mine", "anew": False}, "tags": ["lab"], "description": "our nights",
            "concurrency_limit": 2, "work_pool_name": "cpu", "job_variables": {"env": {"A": "1"}},
        },
        "PATCH",
    )  # fmt: skip
    stack.ask(f"{place}/pause_deployment", {})
    stack.ask("work_pools/flows", {"concurrency_limit": 5}, "PATCH")


def test_a_second_deploy_leaves_what_a_person_set_and_brings_the_code(server: Stack) -> None:
    server.flows("deploy")
    first = server.deployment(NIGHTLY)
    assert [schedule["active"] for schedule in first["schedules"]] == [False] and first["parameters"]["anew"]
    set_by_a_person(server)
    before, pool = server.deployment(NIGHTLY), server.ask("work_pools/flows")
    assert before["paused"] and len(before["schedules"]) == 2 and before["global_concurrency_limit"]["limit"] == 2
    code = server.project / "flows" / "sweep.py"
    text = code.read_text()
    code.write_text(text.replace("        anew: Make", "        anew: Begin again: make"))
    server.flows("deploy")
    after = server.deployment(NIGHTLY)
    assert {key: after[key] for key in set(after) - CODE} == {key: before[key] for key in set(before) - CODE}
    told = after["parameter_openapi_schema"]["properties"]["anew"]["description"]
    assert told.startswith("Begin again: make")
    assert server.ask("work_pools/flows")["concurrency_limit"] == pool["concurrency_limit"] == 5
    code.write_text(text)
    server.flows("deploy")
    assert server.deployment(NIGHTLY)["parameter_openapi_schema"] == first["parameter_openapi_schema"]


def test_what_was_deleted_is_made_as_prefect_yaml_has_it(server: Stack) -> None:
    server.flows("deploy")
    names = ("reproduce/pipeline", "sweep/grid", NIGHTLY, "run-stage/cpu", "run-stage/gpu", "run-point/gpu")
    before = {name: server.deployment(name)["id"] for name in names}
    server.ask(f"deployments/{before['run-point/gpu']}", method="DELETE")
    server.flows("deploy")
    after = {name: server.deployment(name)["id"] for name in names}
    assert {name for name in names if after[name] != before[name]} == {"run-point/gpu"}


def test_where_what_was_set_fits_no_more_one_line_says_so(server: Stack) -> None:
    server.flows("deploy")
    place = f"deployments/{server.deployment('run-stage/cpu')['id']}"
    server.ask(place, {"parameters": {"stage": 5}, "enforce_parameter_schema": False}, "PATCH")
    server.ask(place, {"enforce_parameter_schema": False}, "PATCH")
    server.flows("deploy")  # not enforced: it is the person's
    server.ask(place, {"parameters": {"stage": "x"}, "enforce_parameter_schema": True}, "PATCH")
    code = server.project / "flows" / "stage.py"
    text = code.read_text()
    code.write_text(text.replace("def run_stage(stage: str,", "def run_stage(stage: int,"))
    said = server.call(sys.executable, "-m", "flows.deploy", expect=2).splitlines()[-1]
    code.write_text(text)
    assert said.startswith("deploy: run-stage/cpu: ") and "'x' is not of type 'integer'" in said
