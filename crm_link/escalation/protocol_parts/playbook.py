"""What the protocol says to do once it is known what is said: assessment, playbooks, approvals.

The strategies and clusters are those of Situational Crisis Communication Theory (W. T. Coombs,
Corporate Reputation Review 10 (2007), 163): responsibility decides the answer.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from config.durations import Duration, parse_duration
from config.phrases import phrase
from crm_link.escalation.protocol_parts.base import Strict

#: What may be found about a claim. Never a bare `false` or `true`: YAML would make them booleans.
ClaimWord = Literal["untrue", "true_claim", "partly", "unknown"]
CLAIM_WORDS: tuple[ClaimWord, ...] = ("untrue", "true_claim", "partly", "unknown")

#: How responsible people hold the brand, the least first.
Cluster = Literal["victim", "accidental", "preventable"]
CLUSTERS: tuple[Cluster, ...] = ("victim", "accidental", "preventable")

#: `holding`: facts are not known yet; `inform`: what to do, care; `bolster`: only added to others.
Strategy = Literal["holding", "inform", "deny", "diminish", "rebuild", "bolster"]

#: Names of playbooks, each with the strategies that it may follow. `partly...` and `true_...`
#: are looked for in this order: the most exact name first.
PLAYBOOKS: dict[str, frozenset[Strategy]] = {
    "unknown": frozenset({"holding", "inform"}),
    "untrue": frozenset({"deny", "inform"}),
    "true_victim": frozenset({"inform", "diminish"}),
    "true_accidental": frozenset({"diminish", "rebuild"}),
    "true_preventable": frozenset({"rebuild"}),
    "partly": frozenset({"inform", "diminish", "rebuild"}),
    "partly_victim": frozenset({"inform", "diminish"}),
    "partly_accidental": frozenset({"diminish", "rebuild"}),
    "partly_preventable": frozenset({"rebuild"}),
}

#: Tasks that protocols usually name, as they are shown, with what is meant by them.
KNOWN_TASKS: dict[str, str] = {
    "verify_facts": phrase("Find out what is true: ask those who know, keep the evidence"),
    "publish_holding": phrase("Publish the holding statement"),
    "pause_scheduled_posts": phrase("Pause scheduled posts"),
    "pause_ads": phrase("Pause advertisements"),
    "brief_service": phrase("Tell customer service what to answer"),
    "evidence_page": phrase("Put the evidence on a page of our own, in a friendly tone"),
    "correct_at_source": phrase("Correct it where it was said first"),
    "ask_correction": phrase("Ask for a correction or retraction; offer to keep them informed"),
    "platform_report": phrase("Report what breaks the platform's rules"),
    "search_results_check": phrase(
        "Check the first search results: answer with honest pages of our own, ask for removal "
        "only where the law gives a right to it"
    ),
    "explain": phrase("Explain what happened"),
    "fix": phrase("Mend the cause"),
    "date_of_fix": phrase("Say by when it is mended"),
    "next_update": phrase("Say when the next update comes, and keep to it"),
    "apologise": phrase("Apologise, without ifs"),
    "compensate": phrase("Make good what was done to people"),
    "executive_statement": phrase("A statement of the management"),
}

_DUE = re.compile(r"(?P<name>.+?)_(?P<due>\d+[mhd])")


class PlaybookTask(Strict):
    """Something to do. As one word, its end may say when it is due: `verify_facts_15m`."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")
    title: str = Field(default="", max_length=300)
    owner: str = Field(default="", max_length=100)
    due: Duration | None = None

    @property
    def words(self) -> str:
        """The task as it is shown."""
        return self.title or KNOWN_TASKS.get(self.id) or self.id.replace("_", " ").capitalize()


def _from_word(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _DUE.fullmatch(value)
    if match is None:
        return {"id": value}
    return {"id": match["name"], "due": parse_duration(match["due"])}


class Playbook(Strict):
    """What is done for one kind of claim: a strategy, tasks, and the statement that says it.

    `owner` is the role that has every task without an owner of its own.
    """

    strategy: Strategy
    tasks: tuple[Annotated[PlaybookTask, BeforeValidator(_from_word)], ...] = ()
    statement: str | None = None
    owner: str = Field(default="", max_length=100)


class Assessment(Strict):
    """What is asked on acknowledgement, and the answers that may be given.

    `crisis_history`: `bool` asks whether there was a similar crisis before; true or false is the
    answer for all incidents. A crisis with a history counts one cluster higher.
    """

    claim: tuple[ClaimWord, ...] = CLAIM_WORDS
    cluster: tuple[Cluster, ...] = CLUSTERS
    crisis_history: Literal["bool"] | bool = "bool"

    @model_validator(mode="before")
    @classmethod
    def _no_booleans(cls, value: Any) -> Any:  # noqa: ANN401 - as the file has it
        claims = value.get("claim") if isinstance(value, dict) else None
        if isinstance(claims, list | tuple) and any(isinstance(one, bool) for one in claims):
            msg = phrase(
                "write claim: [untrue, true_claim, ...]: YAML reads a bare true as a boolean"
            )
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _can_be_unknown(self) -> Assessment:
        if "unknown" not in self.claim:
            msg = phrase("claim must have 'unknown' among its answers: at first nobody knows")
            raise ValueError(msg)
        return self

    @property
    def asks_history(self) -> bool:
        """Whether people are asked for the history."""
        return self.crisis_history == "bool"


class Approvals(Strict):
    """Who must approve a statement at each severity, by role, and what happens if nobody does."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    sev_1: tuple[str, ...] = Field(default=(), alias="SEV-1")
    sev_2: tuple[str, ...] = Field(default=(), alias="SEV-2")
    sev_3: tuple[str, ...] = Field(default=(), alias="SEV-3")
    sev_4: tuple[str, ...] = Field(default=(), alias="SEV-4")
    max_wait: Duration = timedelta(minutes=10)
    then: Literal["pre_approved_text_may_go", "wait"] = "wait"

    def roles_for(self, level: str) -> tuple[str, ...]:
        """Return the roles that must approve a statement at this severity."""
        return self.by_level().get(level, ())

    def by_level(self) -> dict[str, tuple[str, ...]]:
        """Return the roles of each severity."""
        return {
            "SEV-1": self.sev_1,
            "SEV-2": self.sev_2,
            "SEV-3": self.sev_3,
            "SEV-4": self.sev_4,
        }
