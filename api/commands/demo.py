"""`groundswell demo`: a made-up brand attack, replayed fast through the real pipeline."""

from __future__ import annotations

import csv
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import SecretStr

from api.commands.common import progress, say, settings_with_logs
from api.commands.engine import serve_app, work_with_progress
from api.demo_posts import (
    BRAND,
    COMPETITOR,
    PLATFORMS,
    attack,
    contact_rows,
    make_people,
    ordinary_week,
)
from api.models import Role
from api.runtime import make_pipeline, only_one_worker, open_runtime
from api.users import DEMO_EMAIL, create_user
from api.worker import Worker
from config.clock import utc_now
from config.errors import ConflictError
from config.logs import set_up_logs
from config.settings import Settings
from crm_link.contacts.mirror import import_contacts
from listener.imports import ImportResult, import_mentions

#: Weeks before the attack: the brand's key, with words, file and name.
WEEKS = {
    "brightleaf": ("an ordinary week", "week.jsonl", BRAND),
    "brightleaf:northbean": ("a competitor's week", "week-northbean.jsonl", COMPETITOR),
}


def add_commands(app: typer.Typer) -> None:
    """Put the command of this module on the command line."""
    app.command()(demo)


def demo(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Keep the demo's files here; else they go at the end.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop by itself after so many seconds.")
    ] = None,
) -> None:
    """Replay a made-up brand attack through the real pipeline, with the console to watch it.

    Nothing is sent to anybody: the alerts of the demo go to the log.
    """
    given = settings_with_logs()
    # The demo's log shows the alerts that it "sends", and little else.
    set_up_logs("WARNING" if given.log_level == "INFO" else given.log_level, given.log_format)
    with _folder(folder) as home:
        settings = _settings(given, home, host, port)
        _write_files(home)
        with open_runtime(settings) as opened, only_one_worker(settings):
            pipeline = make_pipeline(opened)
            with progress("the CRM's contacts") as advance:
                import_contacts(opened.sessions, home / "contacts.csv", on_progress=advance)
            for brand_key, (words, file, _) in WEEKS.items():
                with progress(words) as advance:
                    import_mentions(
                        opened.sessions,
                        home / file,
                        brand_key=brand_key,
                        on_progress=partial(_show_read, advance),
                    )
            work_with_progress(pipeline)
            with opened.sessions.begin() as session:
                create_user(
                    session,
                    email=DEMO_EMAIL,
                    name="Demo",
                    role=Role.ADMIN,
                    password=secrets.token_urlsafe(24),
                    now=utc_now(),
                )
            worker = Worker(pipeline)
            stopped = threading.Event()
            stream = threading.Thread(target=_stream, args=(home, stopped), daemon=True)
            worker.start()
            stream.start()
            say.print(
                "the attack begins: an incident opens within seconds and its report writes itself "
                "(Incidents, then Report); stop with Ctrl-C"
            )
            try:
                serve_app(opened, settings, is_demo=True, seconds=seconds)
            finally:
                stopped.set()
                stream.join(timeout=5)
                worker.stop()


def _show_read(advance: Callable[[int], None], so_far: ImportResult) -> None:
    advance(so_far.read)


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        made = Path(tempfile.mkdtemp(prefix="groundswell-demo-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        msg = f"{folder} is not empty; the demo wants an empty folder of its own"
        raise ConflictError(msg)
    yield folder


def _settings(given: Settings, home: Path, host: str | None, port: int | None) -> Settings:
    """Return settings that touch nothing of the user's own installation."""
    # Plugins read their settings from the environment: they must write into the demo too.
    secret = secrets.token_hex(32)
    os.environ |= {"GROUNDSWELL_HOME": str(home), "GROUNDSWELL_SECRET_KEY": secret}
    for name in ("GROUNDSWELL_CSV_FILE_PATH", "GROUNDSWELL_CSV_FILE_OUT"):
        os.environ.pop(name, None)
    return Settings(
        home=home,
        database_url="",
        brands_file="brands.yaml",
        scorer=given.scorer,
        posts_replies=False,
        crm="csv_file",
        host=host or given.host,
        port=port if port is not None else given.port,
        public_url="",
        secret_key=SecretStr(secret),
        log_level=given.log_level,
        log_format=given.log_format,
        tick_s=min(given.tick_s, 1.0),
    )


def _write_files(home: Path) -> None:
    defaults = files("config").joinpath("defaults")
    for source, name in (
        ("demo_brands.yaml", "brands.yaml"),
        ("demo_protocol.yaml", "protocol.yaml"),
    ):
        (home / name).write_text(defaults.joinpath(source).read_text("utf-8"), "utf-8")
    people = make_people()
    rows = list(contact_rows(people))
    with (home / "contacts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for seed, (_, name, brand) in enumerate(WEEKS.values(), 2):
        with (home / name).open("wb") as lines:
            for record in ordinary_week(people, utc_now(), 10 * seed, brand):
                lines.write(orjson.dumps(record) + b"\n")
    (home / "stream").mkdir()
    for platform in PLATFORMS:
        (home / "stream" / f"{platform}.jsonl").touch()
        (home / "stream" / f"northbean-{platform}.jsonl").touch()


def _stream(home: Path, stopped: threading.Event) -> None:
    """Write the attack's posts into the watched files as their time comes."""
    begin = time.monotonic()
    for after, record in attack(make_people(), utc_now()):
        if stopped.wait(max(0.0, begin + after - time.monotonic())):
            return
        path = home / "stream" / f"{record['platform']}.jsonl"
        with path.open("ab", buffering=0) as file:
            file.write(orjson.dumps(record) + b"\n")
