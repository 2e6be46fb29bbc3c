"""Turns raw results into the report that the page shows.

Everything here is pure: no file, no network, no clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import objectpath

# A check that misses its target by at most this share of the target only warns.
TOLERANCE = 0.05

# Worst first: the order in which the page lists its checks.
STATUSES = ("fail", "warn", "unknown", "pass")


class ReportError(ValueError):
    """The raw results do not have the shape of a report."""


@dataclass(frozen=True)
class Check:
    project: str
    name: str
    status: str
    value: float | None
    target: float
    unit: str
    better: str
    note: str

    @property
    def value_text(self) -> str:
        return "–" if self.value is None else with_unit(self.value, self.unit)

    @property
    def target_text(self) -> str:
        sign = "≥" if self.better == "higher" else "≤"
        return f"{sign} {with_unit(self.target, self.unit)}"


@dataclass(frozen=True)
class Summary:
    """How many checks have which status."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def percent(self) -> int:
        """Share of passed checks, rounded down: 100 means every one."""
        return self.counts["pass"] * 100 // self.total if self.total else 0

    @property
    def status(self) -> str:
        """The worst status of all; `unknown` when there is no check."""
        return next((status for status in STATUSES if self.counts[status]), "unknown")

    @property
    def segments(self) -> list[tuple[str, float, float]]:
        """One (status, start, width) for each part of a bar that is 100 wide, best first."""
        segments, start = [], 0.0
        for status in reversed(STATUSES):
            width = self.counts[status] * 100 / self.total if self.total else 0.0
            if width:
                segments.append((status, round(start, 2), round(width, 2)))
            start += width
        return segments


@dataclass(frozen=True)
class Project:
    name: str
    owner: str
    summary: Summary


@dataclass(frozen=True)
class Report:
    release: str
    projects: list[Project]
    checks: list[Check]
    summary: Summary

    @property
    def headline(self) -> str:
        counts = self.summary.counts
        if not self.summary.total:
            return "No checks yet"
        if counts["fail"]:
            return f"Not ready: {count_of(counts['fail'], 'check')} missed the target"
        if counts["warn"]:
            return f"Almost ready: {count_of(counts['warn'], 'check')} just short of the target"
        if counts["unknown"]:
            return f"Almost ready: {count_of(counts['unknown'], 'check')} not measured"
        return "Ready: every check meets its target"


def judge(value: float | None, target: float, better: str) -> str:
    """Gives the status of one measured value; `better` is `higher` or `lower`."""
    if value is None:
        return "unknown"
    short = target - value if better == "higher" else value - target
    if short <= 0:
        return "pass"
    return "warn" if short <= abs(target) * TOLERANCE else "fail"


def build(raw: object) -> Report:
    """Builds the report.

    Takes: what the backend sends, decoded from JSON; README.md shows its shape.
    Gives: the checks worst first, then in the order of the backend.
    Fails: with a ReportError that names the first place that is wrong.
    """
    if not isinstance(raw, dict):
        raise ReportError("the results are not an object")
    tree = objectpath.Tree(raw)
    found = tree.execute("$.projects")
    if not isinstance(found, list):
        raise ReportError("the results have no list `projects`")

    projects, checks = [], []
    for index, item in enumerate(found):
        own = parse_checks(item, f"projects[{index}]")
        projects.append(
            Project(
                name=text_of(item, "name", f"projects[{index}]"),
                owner=str(item.get("owner") or ""),
                summary=summarise(own),
            )
        )
        checks.extend(own)
    checks.sort(key=lambda check: STATUSES.index(check.status))
    return Report(
        release=str(tree.execute("$.release") or ""),
        projects=projects,
        checks=checks,
        summary=summarise(checks),
    )


def parse_checks(project: object, place: str) -> list[Check]:
    if not isinstance(project, dict):
        raise ReportError(f"`{place}` is not an object")
    name = text_of(project, "name", place)
    found = project.get("checks")
    if not isinstance(found, list):
        raise ReportError(f"`{place}` has no list `checks`")
    return [parse_check(item, name, f"{place}.checks[{i}]") for i, item in enumerate(found)]


def parse_check(item: object, project: str, place: str) -> Check:
    if not isinstance(item, dict):
        raise ReportError(f"`{place}` is not an object")
    better = item.get("better", "higher")
    if better not in ("higher", "lower"):
        raise ReportError(f"`{place}.better` is neither `higher` nor `lower`")
    value = None if item.get("value") is None else number_of(item, "value", place)
    target = number_of(item, "target", place)
    return Check(
        project=project,
        name=text_of(item, "name", place),
        status=judge(value, target, better),
        value=value,
        target=target,
        unit=str(item.get("unit") or ""),
        better=better,
        note=str(item.get("note") or ""),
    )


def summarise(checks: list[Check]) -> Summary:
    tree = objectpath.Tree({"checks": [{"status": check.status} for check in checks]})
    return Summary(
        {status: tree.execute(f"count($.checks[@.status is '{status}'])") for status in STATUSES}
    )


def text_of(item: dict, key: str, place: str) -> str:
    text = item.get(key)
    if not isinstance(text, str) or not text.strip():
        raise ReportError(f"`{place}.{key}` is not a text")
    return text


def number_of(item: dict, key: str, place: str) -> float:
    number = item.get(key)
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ReportError(f"`{place}.{key}` is not a number")
    return number


def with_unit(number: float, unit: str) -> str:
    """Writes at most two decimals and no trailing zeros: `1,250 ms`, `99.95 %`."""
    text = f"{number:,.2f}".rstrip("0").rstrip(".")
    return f"{text} {unit}" if unit else text


def count_of(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sample() -> dict:
    """Results in the backend's shape, for a page without a backend."""

    def check(name, value, target, unit="", better="higher", note=""):
        return dict(name=name, value=value, target=target, unit=unit, better=better, note=note)

    return {
        "release": "4.2",
        "projects": [
            {
                "name": "Checkout",
                "owner": "Payments team",
                "checks": [
                    check("Unit tests passed", 100, 100, "%"),
                    check("Line coverage", 91.4, 85, "%"),
                    check("Response time, p95", 212, 250, "ms", "lower"),
                    check("Known vulnerabilities", 0, 0, "", "lower"),
                ],
            },
            {
                "name": "Catalogue",
                "owner": "Storefront team",
                "checks": [
                    check("Unit tests passed", 99.1, 100, "%", note="Three tests of the price import are unstable"),
                    check("Line coverage", 83.2, 85, "%", note="The new search filters are not covered yet"),
                    check("Response time, p95", 174, 250, "ms", "lower"),
                    check("Known vulnerabilities", 0, 0, "", "lower"),
                ],
            },
            {
                "name": "Search",
                "owner": "Discovery team",
                "checks": [
                    check("Unit tests passed", 100, 100, "%"),
                    check("Line coverage", 88.7, 85, "%"),
                    check("Response time, p95", 418, 250, "ms", "lower", "Slow since the index was split in two"),
                    check("Known vulnerabilities", 1, 0, "", "lower", "An image decoder waits for its update"),
                ],
            },
            {
                "name": "Accounts",
                "owner": "Identity team",
                "checks": [
                    check("Unit tests passed", 100, 100, "%"),
                    check("Line coverage", 94, 85, "%"),
                    check("Response time, p95", None, 250, "ms", "lower", "The load test has not run for this release"),
                    check("Known vulnerabilities", 0, 0, "", "lower"),
                ],
            },
        ],
    }
