"""The REST API of all three packages, a module for each noun.

Reads begin with what the user may see; writes call the services. No contact stands in what is said: it is
opened by its own, logged action.
"""
