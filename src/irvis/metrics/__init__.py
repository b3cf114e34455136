"""Metrics of fusion."""
