"""Nothing: what has the name of this module's bytecode is the file that code_file.py is about."""
