from __future__ import annotations

import importlib

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from config.db import Base
from config.migrate import current_revision, downgrade, head_revision, upgrade

for module in (
    "listener.collection_models",
    "listener.models",
    "sentiment.models",
    "sentiment.facet_models",
    "sentiment.signals.models",
    "crm_link.models",
    "crm_link.privacy.models",
    "crm_link.figures.persona_models",
    "crm_link.figures.models",
    "crm_link.flags.models",
    "crm_link.replying.models",
    "crm_link.reporting.models",
    "crm_link.escalation.models",
    "crm_link.escalation.war_room.share_models",
    "crm_link.escalation.playbook.playbook_models",
    "crm_link.escalation.delivery.delivery_models",
    "crm_link.escalation.drills.models",
    "api.models",
):
    importlib.import_module(module)


#: What one of the databases has only, and the migrations alone make.
_OF_ONE_DATABASE = ("search", "ix_mention_id_author")


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)

    assert current_revision(engine) == head_revision()


def test_downgrade_takes_every_table_away_and_upgrade_brings_it_back(engine: Engine) -> None:
    before = set(inspect(engine).get_table_names())

    downgrade(engine, "base")

    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    upgrade(engine)
    assert set(inspect(engine).get_table_names()) == before


def test_the_migrations_make_exactly_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, parents: (
                    name is None or not any(one in name for one in _OF_ONE_DATABASE)
                )
            },
        )
        drift = compare_metadata(context, Base.metadata)

    assert drift == []


def test_every_partial_index_of_the_models_is_partial_in_the_database(engine: Engine) -> None:
    table = Base.metadata.tables["mention"]
    kind = engine.dialect.name
    wanted = {i.name for i in table.indexes if i.dialect_options[kind]["where"] is not None}

    found = {
        index["name"]
        for index in inspect(engine).get_indexes("mention")
        if index.get("dialect_options", {}).get(f"{kind}_where") is not None
    }

    assert found == wanted
    assert wanted
