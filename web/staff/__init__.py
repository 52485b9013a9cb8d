"""Signing in, and what the staff's pages share: session, role guard, page shell."""
