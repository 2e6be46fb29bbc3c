#!/bin/sh
# Tells what this box is, as JSON on standard output, so that packages can be made for it elsewhere. It reads, and changes
# nothing.
#
# usage: sh probe.sh [PYTHON] > BOX.json
#
# PYTHON is the interpreter that the application will run on, such as python3.11; python3 if it is left out. It gets its
# program as text: fapolicyd refuses to open a Python file that no package brought.
case "${1:-}" in
'' | -*) set -- python3 "$@" ;;
esac
python=$1
shift
exec "$python" -IB -c @PROGRAM@ "$@"
