"""An application that does, under the unit of a package, what ordinary libraries do: GET /NAME runs the probe NAME.

The answer is 200 and what was seen, or 500 and the traceback.
"""
import ctypes
import fcntl
import mmap
import multiprocessing
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from celery import Celery

HOME = os.environ["HOME"]
QUEUE = os.path.join(HOME, "queue")


def square(number):
    return number * number


def probe_chown():
    """gunicorn does this to its unix socket."""
    user, group = os.getuid(), os.getgid()
    with tempfile.NamedTemporaryFile(dir=HOME) as file:
        os.chown(file.name, user, group)
        os.fchown(file.fileno(), user, group)
        os.lchown(file.name, -1, group)
        shutil.chown(file.name, user, group)
        os.chmod(file.name, 0o640)
    os.setuid(user)
    os.setgid(group)


def probe_psutil():
    import psutil

    assert psutil.virtual_memory().total > 0 and psutil.virtual_memory().available > 0
    assert psutil.swap_memory() and psutil.cpu_times().user > 0 and psutil.cpu_times(percpu=True)
    assert psutil.cpu_percent(0.1) >= 0 and psutil.cpu_stats().ctx_switches > 0 and psutil.getloadavg()
    assert psutil.cpu_count() and psutil.cpu_count(logical=False) and psutil.boot_time() > 0
    psutil.cpu_freq()
    assert "lo" in psutil.net_if_addrs() and "lo" in psutil.net_if_stats() and "lo" in psutil.net_io_counters(True)
    psutil.disk_io_counters()
    assert psutil.disk_partitions(all=True) and psutil.disk_usage(HOME).total > 0
    own = psutil.Process()
    assert own.memory_full_info().rss > 0 and own.num_threads() and own.open_files() is not None and own.num_fds()
    assert own.cmdline() and own.environ()["HOME"] == HOME and own.io_counters() and own.create_time() > 0
    assert own.parent().pid in psutil.pids() and own.memory_maps() and own.nice() == 0 and own.cpu_affinity()
    assert any(one.laddr.port for one in own.net_connections("inet"))
    # Airflow watches its tasks, which keep their memory to themselves (PR_SET_DUMPABLE).
    says = "import ctypes; assert ctypes.CDLL(None).prctl(4, 0) == 0; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", says], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as task:
        task.stdout.readline()
        watched = psutil.Process(task.pid)
        assert watched.is_running() and task.pid in psutil.pids()
        watched.terminate()
        watched.wait(10)


def probe_prometheus():
    from prometheus_client import generate_latest

    text = generate_latest().decode()
    names = ("cpu_seconds_total", "max_fds", "open_fds", "resident_memory_bytes", "start_time_seconds", "virtual_memory_bytes")
    lacks = [name for name in names if "\nprocess_" + name + " " not in text]
    assert not lacks, lacks
    started = next(line for line in text.splitlines() if line.startswith("process_start_time_seconds "))
    assert float(started.split()[1]) > 1e9, started


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def received(connection, size):
    return connection.recv(size, socket.MSG_WAITALL) if size else b""


def postgres(listener):
    """As much of PostgreSQL's protocol as it takes to log in and to answer every query with 42."""
    connection, _ = listener.accept()
    with connection:
        ready = message(b"Z", b"I")
        row = message(b"T", struct.pack("!h", 1) + b"a\0" + struct.pack("!ihihih", 0, 0, 23, 4, -1, 0))
        row += message(b"D", struct.pack("!hi", 1, 2) + b"42") + message(b"C", b"SELECT 1\0")
        while True:
            size, code = struct.unpack("!ii", received(connection, 8))
            received(connection, size - 8)
            if code == 196608:
                break
            connection.sendall(b"N")
        said = b"".join(message(b"S", pair) for pair in (b"server_version\0" b"16.1\0", b"client_encoding\0UTF8\0"))
        connection.sendall(message(b"R", struct.pack("!i", 0)) + said + ready)
        while True:
            head = received(connection, 5)
            if len(head) < 5 or head[:1] == b"X":
                return
            size = struct.unpack("!i", head[1:])[0] - 4
            received(connection, size)
            if head[:1] == b"Q":
                connection.sendall(row + ready)


def probe_psycopg():
    import psycopg

    folder = tempfile.mkdtemp(dir=HOME)
    places = [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, os.path.join(folder, ".s.PGSQL.5432"))]
    for family, place in places:
        with socket.socket(family) as listener:
            listener.bind(place)
            listener.listen()
            thread = threading.Thread(target=postgres, args=(listener,), daemon=True)
            thread.start()
            host, port = ("localhost", listener.getsockname()[1]) if family == socket.AF_INET else (folder, 5432)
            with psycopg.connect(host=host, port=port, user="a", dbname="a", connect_timeout=10, autocommit=True) as opened:
                assert opened.execute("select 42").fetchone() == (42,)
            thread.join(10)


tasks = Celery("confined", broker="filesystem://", backend="file://" + os.path.join(QUEUE, "results"))
tasks.conf.broker_transport_options = {
    "data_folder_in": os.path.join(QUEUE, "tasks"),
    "data_folder_out": os.path.join(QUEUE, "tasks"),
    "control_folder": os.path.join(QUEUE, "control"),
}
tasks.task(name="square")(square)


def probe_celery():
    """A worker with two processes, started by its name as `airflow standalone` starts its parts."""
    assert shutil.which("celery") == os.path.join(sys.prefix, "bin", "celery"), os.environ["PATH"]
    for folder in ("tasks", "control", "results"):
        os.makedirs(os.path.join(QUEUE, folder), exist_ok=True)
    words = ["celery", "--app", "confined:tasks", "worker", "--concurrency=2", "--pool=prefork", "--loglevel=INFO"]
    with open(os.path.join(HOME, "celery.log"), "w+") as log:
        worker = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, cwd=HOME)
        try:
            assert tasks.send_task("square", [9]).get(timeout=60) == 81
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
        finally:
            worker.terminate()
            worker.wait(30)


def probe_numpy():
    import numpy

    matrix = numpy.random.default_rng(1).random((400, 400))
    assert numpy.allclose(matrix @ numpy.linalg.inv(matrix), numpy.eye(400), atol=1e-6)
    mapped = numpy.memmap(os.path.join(HOME, "mapped"), dtype="float32", mode="w+", shape=(1000,))
    mapped[:] = 1
    assert mapped.sum() == 1000


def probe_multiprocessing():
    """In a process of its own: a fork of one with threads, as a worker of gunicorn has, may wait for ever."""
    subprocess.run([sys.executable, "-c", "import confined; confined.all_start_methods()"], check=True, timeout=100)


def all_start_methods():
    from multiprocessing import shared_memory

    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            assert pool.map(square, [1, 2, 3]) == [1, 4, 9], method
            pool.close()
            pool.join()
        with context.Manager() as manager:
            assert manager.list([1])[0] == 1, method
        lock, queue = context.Lock(), context.Queue()
        with lock:
            queue.put(method)
            assert queue.get(timeout=10) == method
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    block.buf[0] = 7
    block.close()
    block.unlink()
    says = [sys.executable, "-c", "import confined; print(confined.square(5))"]
    assert subprocess.check_output(says, text=True).strip() == "25"


def probe_system():
    """The rest of what the standard library offers to an application."""
    assert os.cpu_count() and os.getloadavg() and os.sysconf("SC_PHYS_PAGES") > 0 and os.sched_getaffinity(0)
    assert "lo" in [name for _, name in socket.if_nameindex()] and socket.getaddrinfo("localhost", 80)
    assert socket.gethostname() and resource.getrlimit(resource.RLIMIT_NOFILE) and resource.getrusage(resource.RUSAGE_SELF)
    assert open("/proc/meminfo").read() and open("/proc/self/status").read() and open("/proc/loadavg").read()
    # libzmq aborts where a thread may not be given the scheduling that it has.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    shared = mmap.mmap(-1, 4096)
    shared[0] = 1
    assert ctypes.CDLL(None).getpid() == os.getpid()
    made = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(square)
    assert made(3) == 9
    with open(os.path.join(HOME, "locked"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    with tempfile.TemporaryDirectory() as folder:
        os.symlink("a", os.path.join(folder, "b"))
        os.mkfifo(os.path.join(folder, "c"))
    assert time.localtime().tm_year > 2000 and os.urandom(8)
    assert subprocess.check_output(["uname"], text=True).strip() == "Linux"


PROBES = {name[len("probe_"):]: probe for name, probe in list(globals().items()) if name.startswith("probe_")}


def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    status, text = "404 Not Found", " ".join(PROBES)
    if name in PROBES:
        try:
            PROBES[name]()
            status, text = "200 OK", name + " works"
        except BaseException:
            status, text = "500 Internal Server Error", traceback.format_exc()
    start_response(status, [("Content-Type", "text/plain")])
    return [text.encode()]
