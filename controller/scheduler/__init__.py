"""Which host: pure functions over requests and host views, without a database."""
