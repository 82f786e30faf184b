"""The tests of Sigma Match."""
