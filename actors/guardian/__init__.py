"""The process that outlives the runtime and stops what it leaves.

``link`` is the runtime's end. Everything else runs in the guardian, or on both sides, and imports
next to nothing: what is imported here is carried by a process that does nothing but wait.
"""
