"""Spaces to be searched, each with the true value of every configuration: real tables, and constructed conditions."""
