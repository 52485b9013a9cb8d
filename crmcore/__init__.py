"""The business of a customer interaction centre, as a library: frozen values and plain functions."""
