"""Dates in questions: which period a question asks about, and which passages are from it or tell of it."""
