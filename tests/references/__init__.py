"""Reference values against our kernels: ``python -m tests.references FILE --data DIR``."""
