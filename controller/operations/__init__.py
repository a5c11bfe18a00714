"""Operations: transitions of a resource as rows with a short list of idempotent steps."""
