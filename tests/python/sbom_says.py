"""Say what is wrong with each document of a JSON list by the schema of CycloneDX 1.6, or null.

usage: sbom_says.py FILE
"""
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1]) as question:
    documents = json.load(question)
faults = [JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) for text in documents]
print(json.dumps([fault and str(fault)[:1000] for fault in faults]))
