"""Quality Report: how a platform's quality checks stand against their targets."""

__version__ = "0.0.1"
