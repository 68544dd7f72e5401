"""Calling CRMs: clients, budgets, health, and what the plugins of `crm_link.crms` share."""
