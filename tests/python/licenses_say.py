"""Say how `packaging` spells each text of a JSON list as a licence expression, or null where it is none.

usage: licenses_say.py FILE
"""
import json
import sys

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression


def spelt(text):
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


with open(sys.argv[1]) as question:
    print(json.dumps([spelt(text) for text in json.load(question)]))
