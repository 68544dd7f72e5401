"""Our mirror of the contacts in the CRMs, and contacts as people look them up."""
