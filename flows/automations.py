"""What reaches people when nobody looks: automations on Prefect's server that call a webhook, or notify by a block.

PLURIFILL_NOTIFY names the block, made in Prefect's pages, as its page does: `slack-webhook/lab`, `email-server/lab`.
"""

import os

from prefect.automations import AutomationCore, EventTrigger, ResourceSpecification
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.events.actions import CallWebhook, SendNotification
from prefect.exceptions import ObjectNotFound

from flows import server
from flows.errors import InvalidRequest

NOTIFY = "PLURIFILL_NOTIFY"
NOTIFIES = "notify"  # what a block can that sends notifications
KEPT = {"name", "description", "enabled", "tags", "trigger", "actions_on_trigger", "actions_on_resolve"}
ASKED_BY_PEOPLE = ("reproduce", "sweep")  # flows; what these ask for is in their own end


def _runs(*states: str, flows: tuple[str, ...] = ()) -> EventTrigger:
    related = {"prefect.resource.role": "flow", "prefect.resource.name": list(flows)} if flows else {}
    return EventTrigger(
        match=ResourceSpecification.model_validate({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=ResourceSpecification.model_validate(related),
        for_each={"prefect.resource.id"},
        expect={f"prefect.flow-run.{state}" for state in states},
    )


def _pools(status: str) -> EventTrigger:
    return EventTrigger(
        match=ResourceSpecification.model_validate({"prefect.resource.id": "prefect.work-pool.*"}),
        for_each={"prefect.resource.id"},
        expect={f"prefect.work-pool.{status}"},
    )


def watched(pages: str) -> dict[str, tuple[EventTrigger, str]]:
    """What a person is told, and when, by the automations' names; `pages` is where the server's are."""
    page = f"{pages}/runs/flow-run/{{{{ flow_run.id }}}}"
    return {
        "plurifill: failed": (
            _runs("Failed", "Crashed", flows=ASKED_BY_PEOPLE),
            f"{{{{ flow_run.name }}}} ended as {{{{ flow_run.state.name }}}}: {{{{ flow_run.state.message }}}} {page}",
        ),
        "plurifill: late": (_runs("Late"), f"{{{{ flow_run.name }}}} is late: no worker has begun it. {page}"),
        "plurifill: no worker": (
            _pools("not-ready"),
            "The pool {{ work_pool.name }} has no worker any more: the last was stopped, or its heartbeats are lost.",
        ),
    }


def deploy(client: SyncPrefectClient) -> None:
    """Make those that are missing, and send all by the block that PLURIFILL_NOTIFY names; without it, nothing is done.

    InvalidRequest where the server has no such block, or where it can neither be called nor notify.
    """
    if not (name := os.environ.get(NOTIFY)):
        return
    block = _block(client, name)
    for title, (trigger, words) in watched(server.api().removesuffix("/api")).items():
        action = {"actions": [_action(block, name, title, words).model_dump()]}
        found = client.read_automations_by_name(title)
        for one in found:  # what a person has switched or narrowed there stays
            kept = one.model_dump(include=KEPT)
            client.update_automation(one.id, AutomationCore.model_validate(kept | action))
        if not found:
            client.create_automation(AutomationCore.model_validate({"name": title, "trigger": trigger} | action))
    print(f"{NOTIFY}: {name} is told of runs that fail or are late, and of pools without workers")


def _block(client: SyncPrefectClient, name: str) -> BlockDocument:
    kind, _, own = name.partition("/")
    try:
        return client.read_block_document_by_name(own, kind, include_secrets=False)
    except ObjectNotFound as error:
        make = f"make one at {server.api().removesuffix('/api')}/blocks/catalog"
        raise InvalidRequest(
            f"{NOTIFY}={name}: no such block; {make}, and give type and name as webhook/lab"
        ) from error


def _action(block: BlockDocument, name: str, title: str, words: str) -> CallWebhook | SendNotification:
    if block.block_type and block.block_type.slug == "webhook":
        return CallWebhook(block_document_id=block.id, payload=words)
    if block.block_schema and NOTIFIES in block.block_schema.capabilities:
        return SendNotification(block_document_id=block.id, subject=title, body=words)
    raise InvalidRequest(f"{NOTIFY}={name}: neither a webhook nor a block that notifies; name one of these")
