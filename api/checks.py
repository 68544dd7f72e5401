"""What `groundswell check` looks at, one result for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from config.clock import utc_now
from config.db import make_engine
from config.errors import AppError, ConflictError, InputError
from config.migrate import current_revision, head_revision
from config.settings import MIN_SECRET, Settings
from crm_link.crm import crms_in, make_crm
from crm_link.escalation.protocol_parts.advice import advise
from crm_link.escalation.protocol_parts.file import load_protocol
from crm_link.escalation.protocol_parts.lint import check_channels
from crm_link.figures.author_scores import wanted_scores
from listener.brands_file import BrandsFile, SourceEntry, read_brands
from listener.collector import make_collector
from listener.replier import is_set_up, make_replier, replier_names
from sentiment.scorer import make_scorer


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was looked at, whether it is well, and what is found or to be done."""

    what: str
    is_ok: bool
    message: str


def run_checks(settings: Settings, *, offline: bool = False) -> Iterator[CheckResult]:
    """Yield the results as they come; with `offline`, nothing leaves this machine."""
    yield _tried("secret key", lambda: _secret(settings))
    yield _tried("database", lambda: _database(settings))
    yield _tried("scorer", lambda: make_scorer(settings.scorer).version)
    brands: BrandsFile | None = None
    path = settings.brands_path()
    try:
        brands = read_brands(path)
    except (AppError, OSError) as error:
        yield CheckResult("brands file", is_ok=False, message=str(error))
    if brands is not None:
        names = ", ".join(brand.id for brand in brands.brands)
        yield CheckResult("brands file", is_ok=True, message=f"{path}: {names}")
        for warning in brands.warnings:
            yield CheckResult("brands file", is_ok=True, message=f"warning: {warning}")
        yield from _protocols(brands)
        for brand in brands.brands:
            for source in brand.sources:
                yield _tried(
                    f"source {brand.id}/{source.key}",
                    lambda source=source: _source(source, offline=offline),  # type: ignore[misc]
                )
    for platform, account in _reply_accounts(brands):
        name = f"replies on {platform}{f' ({account})' if account else ''}"
        yield _tried(
            name,
            lambda platform=platform, account=account: _replier(  # type: ignore[misc]
                platform, account, offline=offline
            ),
        )
    try:
        crms = crms_in(settings.crm)
    except InputError as error:
        yield CheckResult("CRM", is_ok=False, message=str(error))
        return
    yield _tried("CRM scores", lambda: ", ".join(sorted(wanted_scores())) or "none are written")
    for name in crms:
        yield _tried(f"CRM {name}", lambda name=name: _crm(name, offline=offline))  # type: ignore[misc]


def _tried(what: str, look: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(what, is_ok=True, message=look())
    except AppError as error:
        return CheckResult(what, is_ok=False, message=str(error))


def _secret(settings: Settings) -> str:
    if len(settings.secret_key.get_secret_value()) < MIN_SECRET:
        msg = (
            f"GROUNDSWELL_SECRET_KEY needs at least {MIN_SECRET} characters: "
            "`groundswell init` writes one into .env, or use `openssl rand -hex 32`"
        )
        raise InputError(msg)
    return "set"


def _database(settings: Settings) -> str:
    shown = make_url(settings.resolved_database_url()).render_as_string(hide_password=True)
    engine = make_engine(settings.resolved_database_url())
    try:
        found = current_revision(engine)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        msg = f"{shown} does not answer ({reason}); is it running, is the address right?"
        raise InputError(msg) from error
    finally:
        engine.dispose()
    if found is not None and found != head_revision():
        msg = f"{shown} is at revision {found}, not {head_revision()}: run `groundswell migrate`"
        raise ConflictError(msg)
    return f"{shown}, revision {found or 'none yet (made at first use)'}"


def _protocols(brands: BrandsFile) -> Iterator[CheckResult]:
    for path in sorted({brand.protocol for brand in brands.brands if brand.protocol}):
        try:
            protocol = load_protocol(path)
        except (AppError, OSError) as error:
            yield CheckResult("protocol", is_ok=False, message=str(error))
            continue
        yield CheckResult("protocol", is_ok=True, message=f"{path}, digest {protocol.digest[:12]}")
        warnings = sum(1 for _ in advise(protocol, utc_now().date()))
        if warnings:
            message = f"{path}: {warnings} warnings, which `groundswell protocol lint` lists"
            yield CheckResult("protocol", is_ok=True, message=message)
        for problem in check_channels(protocol):
            yield CheckResult("channels", is_ok=False, message=problem)
    for brand in brands.brands:
        if brand.protocol is None:
            message = (
                f"{brand.id} has no protocol: the default one is used, which tells only the log"
            )
            yield CheckResult("protocol", is_ok=True, message=message)


def _source(source: SourceEntry, *, offline: bool) -> str:
    collector = make_collector(source.platform, source.options)
    try:
        if offline:
            return "settings are there; not asked (--offline)"
        collector.check()
    finally:
        collector.close()
    return "answers"


def _reply_accounts(brands: BrandsFile | None) -> list[tuple[str, str]]:
    """Return the accounts that protocols name, and those without a name that are set up."""
    found = {(platform, "") for platform in replier_names() if is_set_up(platform)}
    for brand in brands.brands if brands is not None else ():
        try:
            named = load_protocol(brand.protocol).replies.accounts if brand.protocol else {}
        except (AppError, OSError):
            continue  # it is told as a protocol that is wrong
        found |= set(named.items())
    return sorted(found)


def _replier(platform: str, account: str, *, offline: bool) -> str:
    replier = make_replier(platform, account)
    try:
        return "settings are there; not asked (--offline)" if offline else replier.check()
    finally:
        replier.close()


def _crm(name: str, *, offline: bool) -> str:
    crm = make_crm(name)
    if offline:
        return "settings are there; not asked (--offline)"
    crm.check()
    return "answers"
