"""The AWS services as this provider sees them: a module each, a class per type, `KINDS` at the end."""
