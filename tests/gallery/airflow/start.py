"""Starts all parts of Airflow, where the unit says."""
import os
import sys

os.environ.update(AIRFLOW__API__HOST=sys.argv[1], AIRFLOW__API__PORT=sys.argv[2])
os.execvp("airflow", ["airflow", "standalone"])
