"""Hold documents against a JSON schema of draft 2020-12, by PyPI's jsonschema.

usage: verify_output_fits.py SCHEMA < DOCUMENTS

Takes a JSON list of documents; prints a JSON list with the faults of each.
"""
import json
import sys

from jsonschema import Draft202012Validator


def main():
    with open(sys.argv[1]) as text:
        schema = json.load(text)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    documents = json.load(sys.stdin)
    print(json.dumps([[error.message for error in validator.iter_errors(document)] for document in documents]))


if __name__ == "__main__":
    main()
