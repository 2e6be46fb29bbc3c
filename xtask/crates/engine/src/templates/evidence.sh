#!/bin/sh
# Tells how an installed service does on this box, as JSON on standard output. It reads, and changes nothing.
#
# usage: sh evidence.sh NAME [URL] > NAME.json
#
# NAME is the package's. URL is what is asked for an answer; that of the unit if it is left out. It needs no root, but says
# what root would add. The interpreter gets its program as text: fapolicyd refuses to open a Python file that no package
# brought.
for python in /usr/bin/python3 /usr/bin/python3.14 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 \
    /usr/bin/python3.10 /usr/bin/python3.9 /usr/bin/python3.8 /usr/bin/python3.7 /usr/bin/python3.6 \
    /usr/libexec/platform-python; do
    if [ -x "$python" ]; then
        break
    fi
done
if [ ! -x "$python" ]; then
    echo "error: this box has no Python 3 in /usr/bin" >&2
    exit 1
fi
exec "$python" -IBS -c @PROGRAM@ "$@"
