"""What leaves for the CRMs: cases, the journal, and what could not be delivered."""
