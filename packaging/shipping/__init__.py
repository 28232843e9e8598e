"""Makes the folder that an application ships; assembly.py puts it together."""
