"""The version of the product, as pyproject.toml says it."""

VERSION = "0.1.0"
