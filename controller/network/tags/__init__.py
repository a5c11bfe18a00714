"""Tags: words that users mark resources with."""
