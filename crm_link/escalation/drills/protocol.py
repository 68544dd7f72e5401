"""The protocol that a drill goes by: the brand's own, with nobody's real address in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from crm_link.escalation.protocol import ChannelAddress, EscalationProtocol
from crm_link.escalation.protocol_parts.file import parse_pinned

#: Where the messages of a drill in compressed time go.
LOG_ONLY = (ChannelAddress(kind="log"),)


def confined(
    protocol: EscalationProtocol, channels: Sequence[ChannelAddress]
) -> EscalationProtocol:
    """Return the protocol with every contact's ways replaced by the drill channels.

    A drill's incident is pinned to this one: it holds no real person's address, so that no
    part of the chain can use one. It flags nothing for the queue either.
    """
    tree: dict[str, Any] = protocol.model_dump(mode="json", exclude_unset=True, by_alias=True)
    ways = [one.model_dump(mode="json") for one in channels]
    for contact in tree["contacts"]:
        contact["channels"] = ways
    # A drill is an incident of its own, however soon after another.
    tree.setdefault("dedup", {})["reopen_within"] = "0s"
    # Posts of a drill are no work for the queue.
    tree.get("triage", {}).pop("flag", None)
    return parse_pinned(json.dumps(tree, ensure_ascii=False, sort_keys=True))
