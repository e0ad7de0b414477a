"""Answers from your news archive that you can check."""
