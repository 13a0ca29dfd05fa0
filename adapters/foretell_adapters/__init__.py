"""foretell in other frameworks, a folder each; importing this imports none of them."""
