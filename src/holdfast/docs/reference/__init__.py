"""The generated pages of docs/reference, and docs/runbook_schema.md."""
