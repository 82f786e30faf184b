"""Saved searches: which ones the app has, when they run, what they say and do."""
