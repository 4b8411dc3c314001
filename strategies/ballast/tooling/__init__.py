"""What commands, ops and research share: a bot's database, its configuration, its REST API."""
