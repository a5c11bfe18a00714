"""The database: sessions that lock first, columns that every table has, migrations."""
