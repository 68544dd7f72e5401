"""A crisis protocol as a plan that people read: who, when, how; what is done and said."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from api.protocol_words import condition_words, times_of
from config.clock import utc_now
from config.durations import format_duration
from crm_link.escalation.protocol import EscalationProtocol, Severity
from crm_link.escalation.protocol_parts.playbook import Playbook


def show_protocol(console: Console, protocol: EscalationProtocol, level: str | None) -> None:
    """Print the plan; with `level`, of this severity only."""
    console.print(_people(protocol))
    for severity in protocol.severity:
        if level in {None, severity.level}:
            console.print(_severity(protocol, severity), soft_wrap=False)
    if protocol.playbooks:
        console.print(_playbooks(protocol), soft_wrap=False)
    if protocol.statements:
        console.print(_statements(protocol))


def _people(protocol: EscalationProtocol) -> Table:
    table = Table(
        "role", "person", "deputy", "channels, in this order", "time zone", "quiet hours",
        title=f"People of {protocol.brand or 'every brand that names the file'}",
        title_justify="left", box=None,
    )  # fmt: skip
    for one in protocol.contacts:
        ways = ", ".join(channel.kind for channel in one.channels)
        name = f"{one.name} ({one.id})" if one.name else one.id
        quiet = one.quiet_hours or ""
        table.add_row(one.role, name, one.deputy or "[yellow]nobody[/]", ways, one.tz, quiet)
    return table


def _severity(protocol: EscalationProtocol, severity: Severity) -> Tree:
    tree = Tree(f"[bold]{severity.level}[/]  {'; '.join(times_of(severity))}")
    when = tree.add("when")
    for word, conditions in (("any of", severity.any), ("all of", severity.all)):
        for condition in conditions:
            when.add(f"{word}: {condition_words(condition)}")
    chain = protocol.chain_for(severity.level)
    steps = tree.add(f"who is told, up to {chain.repeat} times, until somebody acknowledges")
    for step in chain.steps:
        if step.is_for(severity.level):
            meant = ", ".join(one.name or one.id for one, _ in protocol.people(step.notify))
            after = format_duration(step.after) if step.after else "at once"
            steps.add(f"{after}: {', '.join(step.notify)} ({meant or 'who is on call'})")
    roles = protocol.approvals.roles_for(severity.level)
    if roles:
        rule = protocol.approvals
        then = ", then the pre-approved text may go" if rule.then != "wait" else ""
        limit = format_duration(rule.max_wait)
        tree.add(f"statements need {', '.join(roles)}, within {limit}{then}")
    return tree


def _playbooks(protocol: EscalationProtocol) -> Tree:
    tree = Tree("[bold]What is done[/], by what turns out about the claim")
    for name, playbook in protocol.playbooks.items():
        said = f", says {playbook.statement}" if playbook.statement else ""
        branch = tree.add(f"{name}: [bold]{playbook.strategy}[/]{said}")
        for words in _tasks(playbook):
            branch.add(words)
    return tree


def _tasks(playbook: Playbook) -> list[str]:
    return [
        f"{task.words}"
        + (f", {task.owner or playbook.owner}" if task.owner or playbook.owner else "")
        + (f", within {format_duration(task.due)}" if task.due else "")
        for task in playbook.tasks
    ]


def _statements(protocol: EscalationProtocol) -> Table:
    table = Table(
        "statement", "languages", "approved", "until", title="What is said",
        title_justify="left", box=None,
    )  # fmt: skip
    today = utc_now().date()
    for key, one in protocol.statements.items():
        fit = one.is_approved(today)
        approved = f"by {one.approved_by}, {one.approved_on}" if one.approved_by else "by nobody"
        style = "green" if fit else "yellow"
        until = str(one.expires or "")
        table.add_row(key, ", ".join(one.text), f"[{style}]{approved}[/]", until)
    return table
