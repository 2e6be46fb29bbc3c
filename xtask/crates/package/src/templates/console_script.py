#!{{ root }}/bin/python
import sys

from {{ module }} import {{ first }}

if __name__ == "__main__":
    sys.exit({{ function }}())
