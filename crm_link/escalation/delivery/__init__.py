"""How alerts leave and are answered: messages, lanes, leases, silences, acknowledgements."""
