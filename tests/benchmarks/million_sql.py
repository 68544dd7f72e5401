"""The statements that write a big made-up database, in the words of SQLite and of PostgreSQL.

Each is a SELECT from numbers `i`, which is put after its INSERT. Numbers are spread by
multiplication, so that the same count gives the same rows on both databases.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Days that mentions are spread over, and seconds of the attack that runs.
DAYS = 60
ATTACK_S = 20 * 3600

#: One in so many mentions belongs to the attack: 62,500 of a million.
ATTACK_EACH = 16

AUTHORS = 200_000
CONTACTS = 200_000

#: Contacts whose account is known or suggested; one in so many is suggested only.
LINKED = 20_000
SUGGESTED_EACH = 8

_TEXT = """
CASE i % 7 WHEN 0 THEN 'Acme refuses my refund again and nobody answers'
  WHEN 1 THEN 'there was glass in my Acme cup this morning'
  WHEN 2 THEN 'where can I buy the Acme beans as a gift'
  WHEN 3 THEN 'the Acme oat latte is lovely, thank you'
  WHEN 4 THEN 'thinking of cancelling my Acme subscription'
  WHEN 5 THEN 'meeting at Acme near the station at noon'
  ELSE 'the Acme app keeps crashing when I pay' END || ', '
|| CASE i % 11 WHEN 0 THEN 'third time this month' WHEN 1 THEN 'please read this'
  WHEN 2 THEN 'my sister saw it too' WHEN 3 THEN 'photo tomorrow' WHEN 4 THEN 'in Lisbon'
  WHEN 5 THEN 'not good enough' WHEN 6 THEN 'who else has this' WHEN 7 THEN 'best in town'
  WHEN 8 THEN 'after ten years as a regular' WHEN 9 THEN 'long day' ELSE 'on Monday' END
|| CASE WHEN i % 50000 = 7 THEN ' zebra' WHEN i % 300 = 11 THEN ' harbour' ELSE '' END
|| ' no' || i"""

_ATTACK_TEXT = """
CASE i % 5 WHEN 0 THEN 'Acme cups break and leave glass in the coffee'
  WHEN 1 THEN 'my child swallowed glass from an Acme cup, throw yours away'
  WHEN 2 THEN 'Acme knew about the glass and said nothing'
  WHEN 3 THEN 'boycott Acme until they recall the cups'
  ELSE 'is it true about the glass in Acme cups' END || ' no' || i"""


@dataclass(frozen=True, slots=True)
class Words:
    """How a database says what the statements need."""

    dialect: str

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self.dialect == "sqlite"

    def numbers(self, count: int) -> str:
        """Return the beginning of a statement that gives the numbers from 1 to `count`."""
        if self.is_sqlite:
            return (
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                f"WHERE i < {count}) "
            )
        return f"WITH n(i) AS (SELECT generate_series(1, CAST({count} AS bigint))) "

    def ago(self, seconds: str) -> str:
        """Return the time so many seconds before `:now`."""
        if self.is_sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%S.000000', :now, '-' || ({seconds}) || ' seconds')"
        return f"CAST(:now AS timestamptz) - make_interval(secs => {seconds})"

    def later(self, column: str, minutes: str) -> str:
        """Return the whole minute so many minutes after a column's time."""
        if self.is_sqlite:
            form = "'%Y-%m-%d %H:%M:00.000000'"
            return f"strftime({form}, {column}, '+' || ({minutes}) || ' minutes')"
        whole = f"date_trunc('minute', {column})"
        return f"{whole} + make_interval(mins => CAST({minutes} AS integer))"

    def bucket(self, column: str, grain_s: int) -> str:
        """Return the beginning of the bucket that a column's time is in."""
        if self.is_sqlite:
            whole = f"(unixepoch({column}) / {grain_s}) * {grain_s}"
            return f"strftime('%Y-%m-%d %H:%M:%S.000000', {whole}, 'unixepoch')"
        return f"date_bin(interval '{grain_s} seconds', {column}, 'epoch')"

    def empty(self, of: str = "[]") -> str:
        """Return an empty list or object of JSON."""
        return f"'{of}'" if self.is_sqlite else f"CAST('{of}' AS jsonb)"


def authors(words: Words) -> str:
    """Return the statement that writes the authors; the first 20 are papers and speak often."""
    return f"""
INSERT INTO author (id, platform, external_id, handle, name, location, links, verified_links,
  followers, first_seen_at, updated_at, profile_hash)
{words.numbers(AUTHORS)}
SELECT i, {_PLATFORM.format(of="i")}, 'b' || i, 'user' || i, 'User ' || i,
  CASE i % 9 WHEN 0 THEN 'Austin, TX' WHEN 1 THEN 'Paris' WHEN 2 THEN 'Lagos, Nigeria'
    WHEN 3 THEN 'Madrid' WHEN 4 THEN 'Berlin' ELSE NULL END,
  {words.empty()}, {words.empty()}, CASE WHEN i <= 20 THEN 900000 ELSE (i * 37) % 5000 END,
  :now, :now, '' FROM n"""


_PLATFORM = """CASE {of} % 20 WHEN 0 THEN 'rss' WHEN 1 THEN 'rss' WHEN 2 THEN 'bluesky'
  WHEN 3 THEN 'mastodon' WHEN 4 THEN 'mastodon' WHEN 5 THEN 'reddit' WHEN 6 THEN 'reddit'
  WHEN 7 THEN 'reddit' WHEN 8 THEN 'reddit' ELSE 'x' END"""


def mentions(words: Words, count: int) -> str:
    """Return the statement that writes the mentions, judged and prioritised."""
    attack_at = words.ago(f"(i * 7919) % {ATTACK_S}")
    usual_at = words.ago(f"(i * 7919) % {DAYS * 86_400}")
    return f"""
INSERT INTO mention (id, brand_id, source_id, author_id, platform, external_id, kind, url, text,
  conversation_id, reply_to_id, links, likes, reposts, replies, published_at, fetched_at,
  versions, label, score, p_negative, p_neutral, p_positive, confidence, lang, scorer,
  scored_at, priority, topic, route, folded_into_id, fold_count)
{words.numbers(count)}
SELECT i,
  CASE WHEN a THEN 1 WHEN i % 20 = 19 THEN 4 WHEN i % 10 = 9 THEN 3
    WHEN i % 10 >= 7 THEN 2 ELSE 1 END,
  NULL, who, {_PLATFORM.format(of="who")}, 'm' || i,
  CASE WHEN i % 5 = 0 THEN 'reply' ELSE 'post' END, 'https://example.org/posts/' || i,
  CASE WHEN a THEN {_ATTACK_TEXT} ELSE {_TEXT} END,
  CASE WHEN i % 1000 = 1 THEN 'big' WHEN i % 5 = 0 THEN 'c' || (i / 50) END, NULL,
  {words.empty()}, (i * 13) % 90, (i * 7) % 40, (i * 3) % 12,
  CASE WHEN a THEN {attack_at} ELSE {usual_at} END, :now, 1,
  CASE WHEN l = 0 THEN 'negative' WHEN l = 1 THEN 'positive' WHEN l = 4 THEN 'unknown'
    ELSE 'neutral' END,
  CASE WHEN l = 0 THEN -0.7 WHEN l = 1 THEN 0.7 WHEN l = 4 THEN NULL ELSE 0.05 END,
  CASE WHEN l = 0 THEN 0.8 WHEN l = 4 THEN NULL ELSE 0.1 END,
  CASE WHEN l = 0 THEN 0.1 WHEN l = 1 THEN 0.1 WHEN l = 4 THEN NULL ELSE 0.8 END,
  CASE WHEN l = 1 THEN 0.8 WHEN l = 4 THEN NULL ELSE 0.1 END,
  CASE WHEN l = 4 THEN 0.0 ELSE 0.8 END,
  CASE WHEN i % 5003 = 3 THEN 'fi' WHEN g < 60 THEN 'en' WHEN g < 75 THEN 'es'
    WHEN g < 85 THEN 'de' WHEN g < 93 THEN 'fr' WHEN g < 97 THEN 'pt' ELSE 'ja' END,
  'made up', :now,
  CASE WHEN a THEN 'risk' WHEN p < 2 THEN 'risk' WHEN p < 5 THEN 'cancel'
    WHEN p < 17 THEN 'service' WHEN p < 22 THEN 'purchase' ELSE 'other' END,
  CASE WHEN a THEN 'glass' WHEN p < 20 THEN 'refunds' ELSE 'general' END, 'review',
  CASE WHEN i % 12 = 5 AND i > 240 THEN i - 240 END, CASE WHEN i % 12 = 5 THEN 1 ELSE 0 END
FROM (SELECT i, i % {ATTACK_EACH} = 0 AS a,
  CASE WHEN i % 50 = 0 THEN 1 + (i / 50) % 20 ELSE 1 + (i * 7919) % {AUTHORS} END AS who,
  CASE WHEN i % {ATTACK_EACH} = 0 THEN 0 ELSE (i * 7) % 33 * 4 / 33 + (i * 7) % 33 / 32 END AS l,
  (i * 29) % 101 AS g, (i * 17) % 103 AS p FROM n) AS given"""


def signals(words: Words) -> str:
    """Return the statement that writes what mentions say besides their polarity."""
    return f"""
INSERT INTO mention_signal (mention_id, brand_id, published_at, p_emotion, irony, offensive,
  emotion, rules, intents, complaint_reason, spam, bot, spam_reasons, bot_reasons)
SELECT id, brand_id, published_at, {words.empty("{}")}, 0.1, 0.1,
  CASE WHEN label = 'negative' THEN 'anger' WHEN label = 'positive' THEN 'joy' END, '1',
  CASE id % 5 WHEN 0 THEN ' complaint ' WHEN 2 THEN ' purchase question ' ELSE '' END,
  CASE id % 5 WHEN 0 THEN 'billing' ELSE NULL END,
  CASE WHEN id % 40 = 1 THEN 0.95 ELSE 0.1 END, 0.1, {words.empty()}, {words.empty()}
FROM mention"""


def volumes(words: Words, grain_s: int) -> str:
    """Return the statement that sums mentions as scoring does."""
    return f"""
INSERT INTO volume (brand_id, grain_s, bucket_at, platform, label, mentions, score_sum)
SELECT brand_id, {grain_s}, {words.bucket("published_at", grain_s)} AS bucket_at, platform, label,
  count(*), coalesce(sum(score), 0) FROM mention GROUP BY 1, 3, 4, 5"""


def flags(words: Words) -> str:
    """Return the statement that writes flags: a bad week's stand open, most older are closed."""
    attack = f"id % {ATTACK_EACH} = 0"
    return f"""
INSERT INTO flag (mention_id, brand_id, priority, urgency, rank, published_at, platform, label,
  lang, reason, status,
  created_at, due_at, assignee, snoozed_until, answered_at, answered_by, closed_at, closed_by,
  note, opens_case, version)
SELECT id, brand_id, priority, 5 - place, 2 * place + CASE WHEN label = 'negative' THEN 0 ELSE 1
  END, published_at, platform, label, lang, 'what it asks for',
  CASE WHEN is_open THEN 'open' WHEN id % 7 = 0 THEN 'dismissed' ELSE 'done' END,
  published_at, {words.later("published_at", "hours * 60")},
  CASE WHEN id % 3 = 0 THEN 'person' || (id % 6) || '@example.org' END,
  CASE WHEN is_open AND id % 50 = 3 THEN {words.later("published_at", "1440 * 20")} END,
  CASE WHEN NOT is_open THEN {words.later("published_at", "20 + id % 300")} END,
  CASE WHEN NOT is_open THEN 'person' || (id % 6) || '@example.org' END,
  CASE WHEN NOT is_open THEN {words.later("published_at", "30 + id % 600")} END,
  CASE WHEN NOT is_open THEN 'person' || (id % 6) || '@example.org' END, '', false, 1
FROM (SELECT id, brand_id, priority, platform, label, lang, published_at,
  ({attack} OR published_at > {words.ago("10 * 86400")}) AND id % 23 <> 1 AS is_open,
  CASE priority WHEN 'risk' THEN 0 WHEN 'purchase' THEN 1 WHEN 'cancel' THEN 2
    WHEN 'service' THEN 3 ELSE 4 END AS place,
  CASE priority WHEN 'risk' THEN 1 WHEN 'other' THEN 72 ELSE 12 END AS hours
  FROM mention WHERE brand_id <> 4 AND folded_into_id IS NULL
    AND ({attack} OR priority <> 'other' OR (label = 'negative' AND id % 3 = 0))) AS given"""


def contacts(words: Words) -> str:
    """Return the statement that writes people of the CRM."""
    return f"""
INSERT INTO contact (id, crm, external_id, name, family_name, emails, phones, handles, links,
  country, tier, value, do_not_contact, fields, record_hash, first_seen_at, updated_at)
{words.numbers(CONTACTS)}
SELECT i, 'hubspot', 'C-' || i, 'Person ' || i, i || '', {words.empty()}, {words.empty()},
  {words.empty()}, {words.empty()}, 'ES',
  CASE i % 4 WHEN 0 THEN 'gold' WHEN 1 THEN 'silver' WHEN 2 THEN 'lead' END, (i * 37) % 9000,
  false, {words.empty("{}")}, '', :now, :now FROM n"""


def links(words: Words) -> str:
    """Return the statement that says who of the authors is whom."""
    each = AUTHORS // LINKED
    return f"""
INSERT INTO identity_link (author_id, contact_id, state, weight_bits, evidence, rule_version,
  decided_at, created_at, was_withdrawn)
{words.numbers(LINKED)}
SELECT i * {each}, i, CASE WHEN i % {SUGGESTED_EACH} = 0 THEN 'suggested' ELSE 'confirmed' END,
  7.2, {words.empty()}, '1', :now, :now, false FROM n"""


def corrections(words: Words) -> str:
    """Return the statement by which people had agreed or not with some labels."""
    del words
    return """
INSERT INTO correction (mention_id, mention_version, label, by, at, model_label)
SELECT id, 1, label, 'person1@example.org', published_at,
  CASE WHEN id % 4 = 0 THEN 'neutral' ELSE label END
FROM mention WHERE id % 100 = 3 AND label <> 'unknown'"""


def audits(words: Words, count: int) -> str:
    """Return the statement that writes what people did."""
    return f"""
INSERT INTO audit_event (at, actor, action, subject)
{words.numbers(count)}
SELECT {words.ago("(i * 7919) % 5184000")}, 'person' || (i % 6) || '@example.org',
  'mention resolved', 'mention ' || i FROM n"""


def timeline(words: Words, count: int) -> str:
    """Return the statement that writes the long day of an incident."""
    return f"""
INSERT INTO incident_event (incident_id, at, actor, kind, detail)
{words.numbers(count)}
SELECT :incident_id, {words.ago("60 * (600 - i)")}, 'person' || (i % 6) || '@example.org',
  'note', {words.empty("{}").replace("{}", '{"text": "We called the plant; more at noon."}')}
FROM n"""
