"""A page on loopback about a running bot: it reads the journal, asks the REST API, and no more."""
