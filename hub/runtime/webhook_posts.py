"""Webhook posts: a copy out of the database as a signed request to its receiver."""

from __future__ import annotations

from collections.abc import Mapping

from hub.contracts.cloudevents import to_json
from hub.contracts.codecs import decode_copy
from hub.kernel.macs import derive
from hub.model.outbox import Headers
from hub.runtime.receivers import Sender
from hub.store.deliveries import Delivery
from hub.transports.signatures import SharedKey
from hub.transports.webhooks import Answer, WebhookSender


def webhook_secret(master: bytes, program: str) -> bytes:
    """The secret a program verifies its webhooks with: 32 bytes, its own.

    Args:
        master: ``k_program``.
        program: Id of the program.
    """
    return derive(master, f"webhook|1|{program}")


def sender_for(http: WebhookSender, addresses: Mapping[str, str], master: bytes) -> Sender:
    """What the webhook lanes call.

    Args:
        http: Open sender.
        addresses: Subscription → address.
        master: ``k_program``.
    """
    keys = {name: SharedKey(webhook_secret(master, name)) for name in addresses}

    async def send(subscription: str, copy: Delivery, headers: Headers) -> Answer:
        body = to_json(subscription, decode_copy(subscription, copy.body), headers)
        return await http.post(addresses[subscription], copy.copy_id, body, [keys[subscription]])

    return send
