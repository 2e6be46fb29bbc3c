"""A workflow that the scheduler finds, with one task."""
from airflow.sdk import dag, task


@dag(schedule=None)
def answer():
    @task
    def multiply():
        return 6 * 7

    multiply()


answer()
