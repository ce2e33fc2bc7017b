"""Measurements beside known peers, by hand; none decides a test."""
