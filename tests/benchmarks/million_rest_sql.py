"""The statements that write what two months of work left beside the mentions and flags.

Each is a SELECT from what `million_sql` wrote: answers, what people did to flags and links,
gaps, consents, erasures, mailed reports.
"""

from __future__ import annotations

from tests.benchmarks.million_sql import Words

#: Gaps that were read again since; each source has some that were not.
GAPS = 5_000

ERASURES = 2_000

#: Contacts that agreed to being linked.
CONSENTS = 5_000

#: Decisions of people on links, before the last run of the machine over all of them.
DECISIONS = 400


def statements(words: Words) -> tuple[tuple[str, str], ...]:
    """Return what is written, by its name and in its order."""
    return (
        ("flag events", flag_events(words)),
        ("link decisions", link_decisions(words)),
        ("link events", link_events(words)),
        ("replies", replies(words)),
        ("reply events", reply_events(words)),
        ("gaps", gaps(words)),
        ("consents", consents(words)),
        ("erasures", erasures(words)),
        ("schedules", schedules(words)),
        ("mailed reports", mails(words)),
    )


def flag_events(words: Words) -> str:
    """Return the statement that says who closed what."""
    return f"""
INSERT INTO flag_event (mention_id, batch, at, actor, action, before, after, version)
SELECT mention_id, 'b' || (mention_id / 3), closed_at, closed_by, 'done',
  {words.empty("{}").replace("{}", '{"status": "open"}')},
  {words.empty("{}").replace("{}", '{"status": "done"}')}, 1
FROM flag WHERE status <> 'open'"""


def link_decisions(words: Words) -> str:
    """Return the statement that writes what people decided about links."""
    return f"""
INSERT INTO link_event (link_id, at, actor, from_state, to_state, note)
SELECT id, {words.ago("86400 + id")}, 'person1@example.org', 'suggested', 'confirmed', ''
FROM identity_link WHERE state = 'confirmed' AND id <= {2 * DECISIONS} AND id % 2 = 0"""


def link_events(words: Words) -> str:
    """Return the statement by which the machine's last run is newer than people's decisions."""
    return f"""
INSERT INTO link_event (link_id, at, actor, from_state, to_state, note)
SELECT id, {words.ago("id")}, 'groundswell', NULL, state, '' FROM identity_link"""


def replies(words: Words) -> str:
    """Return the statement that writes answers: most are posted, some wait."""
    return f"""
INSERT INTO reply (mention_id, brand_id, platform, account, text, closes, state, version,
  written_by, writers, written_at, approved_by, attempts, looks, posted_id, posted_at,
  created_at, updated_at)
SELECT mention_id, brand_id, platform, '', 'We are sorry and look into it.', true,
  CASE WHEN status = 'open' THEN 'waiting' ELSE 'posted' END, 1,
  'person2@example.org', {words.empty()}, {words.later("published_at", "10")},
  CASE WHEN status <> 'open' THEN 'person1@example.org' END, 1, 0,
  CASE WHEN status <> 'open' THEN 'r' || mention_id END,
  CASE WHEN status <> 'open' THEN {words.later("published_at", "20")} END,
  {words.later("published_at", "10")}, {words.later("published_at", "20")}
FROM flag WHERE platform IN ('x', 'reddit') AND
  (mention_id % 500 = 1 OR (status <> 'open' AND mention_id % 10 = 1))"""


def reply_events(words: Words) -> str:
    """Return the statement that says who wrote them."""
    del words
    return """
INSERT INTO reply_event (reply_id, mention_id, at, actor, action, version, note, text)
SELECT id, mention_id, written_at, written_by, 'written', 1, '', text FROM reply"""


def gaps(words: Words) -> str:
    """Return the statement that writes what sources may have missed."""
    return f"""
INSERT INTO gap (source_id, kind, from_at, to_at, detail, found_at, filled_at)
{words.numbers(GAPS)}
SELECT 1 + i % 9, 'truncated', {words.ago("i * 1000 + 600")}, {words.ago("i * 1000")},
  'the walk stopped early', {words.ago("i * 1000")},
  CASE WHEN i % 100 <> 0 THEN {words.ago("i * 1000 - 300")} END FROM n"""


def consents(words: Words) -> str:
    """Return the statement that writes what people agreed to."""
    return f"""
INSERT INTO contact_consent (contact_id, scope, note, recorded_by, recorded_at)
{words.numbers(CONSENTS)}
SELECT i * 3, 'any', 'ticket ' || i, 'person1@example.org', :now FROM n"""


def erasures(words: Words) -> str:
    """Return the statement that writes erasures that are done."""
    return f"""
INSERT INTO erasure_request (subject, subject_hash, reason, requested_by, requested_at, state,
  plan, receipts, done_at)
{words.numbers(ERASURES)}
SELECT 'author ' || (300000 + i), 'h' || i, 'ticket ' || i, 'person1@example.org',
  {words.ago("i * 2000")}, 'done', {words.empty("{}")}, {words.empty()},
  {words.ago("i * 2000 - 600")} FROM n"""


def schedules(words: Words) -> str:
    """Return the statement that writes which reports are mailed."""
    return f"""
INSERT INTO report_schedule (brand_id, kind, form, weekday, hour, zone, language, recipients,
  is_active, next_due_at, created_by, created_at)
{words.numbers(6)}
SELECT 1 + i % 3, 'weekly', 'html', 0, 9, 'UTC', 'en', {words.empty()}, true,
  :now, 'person1@example.org', {words.ago("86400 * 90")} FROM n"""


def mails(words: Words) -> str:
    """Return the statement that writes what was mailed."""
    return f"""
INSERT INTO report_mail (schedule_id, brand_id, idempotency_key, kind, form, zone, language,
  until_at, recipient, status, attempts, next_attempt_at, created_at, sent_at)
{words.numbers(2000)}
SELECT 1 + i % 6, 1 + i % 3, 'k' || i, 'weekly', 'html', 'UTC', 'en', {words.ago("i * 3600")},
  'board' || (i % 9) || '@example.org', 'sent', 1, {words.ago("i * 3600")},
  {words.ago("i * 3600")}, {words.ago("i * 3600")} FROM n"""
