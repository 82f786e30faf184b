"""What tests share: apps, cases, interpreters, data."""
