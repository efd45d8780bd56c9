"""Questionnaires and contradiction rules as files: YAML to domain values, mistakes as file:line:column."""
