"""Files of the Hugging Face Hub: what is in a revision, and the bytes of one file, verified.

Only the standard library is used, so that a lock can be made before any package is installed.
"""
