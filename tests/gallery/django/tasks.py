"""A queue whose messages are files: the service sends, a worker of `our-django-run` answers."""
import celery

FOLDER = "/var/lib/our-django/queue"

app = celery.Celery("shop", broker="filesystem://", backend="file://" + FOLDER)
app.conf.update(
    broker_transport_options={
        "data_folder_in": FOLDER,
        "data_folder_out": FOLDER,
        "control_folder": FOLDER,
        "store_processed": False,
    }
)


@app.task
def multiply(one, other):
    return one * other
