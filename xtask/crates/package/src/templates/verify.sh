if [ ! -x {{ interpreter }} ]; then
    echo "{{ name }}: its interpreter {{ interpreter }} is not there" >&2
    exit 1
fi
cd / && exec /usr/bin/env -i LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin HOME=/ {{ interpreter }} -ISB -c '
import os
import pwd
import sys

NAME, ROOT, MINOR = "{{ name }}", "{{ root }}", ({{ major }}, {{ minor }})
SCRIPT, MODULE, APPLICATIONS = "{{ script }}", "{{ module }}", "{{ applications }}".split()


def fault(text):
    faults.append(NAME + ": " + text)


def module_of_script():
    with open(os.path.join(ROOT, "bin", SCRIPT)) as lines:
        for line in lines:
            if line.startswith("from "):
                return line.split()[1]


def compiled():
    """Modules with compiled code and their files, by the package that they are in, the shallow ones first."""
    found = {}
    lib = os.path.join(ROOT, "lib")
    for folder, folders, files in os.walk(lib):
        folders[:] = sorted(name for name in folders if name.isidentifier())
        for name in sorted(files):
            ending = next((end for end in EXTENSION_SUFFIXES if name.endswith(end)), None)
            file = os.path.join(folder, name)
            if ending and name[:-len(ending)].isidentifier() and is_module(file, name[:-len(ending)], ending):
                path = os.path.join(os.path.relpath(folder, lib), name[:-len(ending)])
                module = os.path.normpath(path).replace("/", ".")
                found.setdefault(module.split(".")[0], []).append((module, file))
    return found


def is_module(file, name, ending):
    """A library without the mark of a Python in its name is a module where it has the function of one."""
    if ending != ".so":
        return True
    with open(file, "rb") as library:
        return ("PyInit_" + name).encode() in library.read()


def imports(module):
    try:
        importlib.import_module(module)
    except BaseException as error:
        return error


def refused(error):
    """The error of a module that the loader refused, on the way to this one."""
    for _ in range(20):
        if isinstance(error, ImportError) and str(error.path).endswith(tuple(EXTENSION_SUFFIXES)):
            return error
        error = error and (error.__cause__ or error.__context__)


def cannot_load(module, error):
    fault("`import %s` fails: %s: %s" % (module, type(error).__name__, " ".join(str(error).split())))


def is_found(module):
    """Whether the file of a module is there; nothing is imported."""
    path = None
    parts = module.split(".")
    for part in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[:part + 1]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True


def check():
    if SCRIPT or MODULE:
        server = MODULE or module_of_script()
        error = imports(server)
        if isinstance(error, (ImportError, SyntaxError)):
            cannot_load(server, error)
    for package, modules in sorted(compiled().items()):
        # What a package says itself is none of our business: that it wants to be imported by another, or configured.
        error = refused(imports(package))
        if error is not None:
            cannot_load(package, error)
        elif not any(module in sys.modules for module, _ in modules):
            # Where the package loads none of its compiled modules, the first one tells. It is not imported: it may have
            # another name when it is.
            module, file = modules[0]
            try:
                import ctypes
                ctypes.CDLL(file)
            except OSError as error:
                cannot_load(module, error)
            except ImportError:
                # A Python that was built without it.
                pass
    for module in APPLICATIONS:
        if not is_found(module):
            fault("the module `%s` of the application is not there" % module)


faults = []
if sys.version_info[:2] != MINOR:
    sys.exit(NAME + ": {{ interpreter }} is Python %d.%d" % sys.version_info[:2])
user = None
if os.geteuid() == 0:
    try:
        user = pwd.getpwnam(NAME)
    except KeyError:
        sys.exit(NAME + ": the user " + NAME + " is not there")

# What is imported is the code of others. It gets neither the terminal of the caller nor a way to write to it: a process
# in a session of its own, with nothing open but /dev/null and a pipe. One write of this size always fits into a pipe.
MOST = 4096
question, answer = os.pipe()
process = os.fork()
if process != 0:
    _, status = os.waitpid(process, 0)
    os.set_blocking(question, False)
    try:
        said = os.read(question, MOST).decode("utf-8", "replace")
    except BlockingIOError:
        # It said nothing, and left a process behind.
        said = ""
    if status != 0 and not said:
        said = NAME + ": the check of its modules crashed"
    for line in said.splitlines():
        print("".join(sign if sign.isprintable() else "?" for sign in line), file=sys.stderr)
    sys.exit(0 if status == 0 else 1)
os.setsid()
silent = os.open(os.devnull, os.O_RDWR)
for standard in (0, 1, 2):
    os.dup2(silent, standard)
os.closerange(3, answer)
os.closerange(answer + 1, 65536)
if user is not None:
    os.initgroups(NAME, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)

import importlib
import site
import warnings
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder

warnings.simplefilter("ignore")
sys.path.append(ROOT)
site.addsitedir(ROOT + "/lib")
try:
    check()
except OSError as error:
    fault(str(error))
os.write(answer, "\n".join(faults).encode("utf-8", "replace")[:MOST])
os._exit(1 if faults else 0)
'
