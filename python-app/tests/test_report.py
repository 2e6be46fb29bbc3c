import copy

import pytest

from src import report


@pytest.mark.parametrize(
    ("value", "target", "better", "status"),
    [
        (100, 100, "higher", "pass"),
        (101, 100, "higher", "pass"),
        (95, 100, "higher", "warn"),
        (94.9, 100, "higher", "fail"),
        (250, 250, "lower", "pass"),
        (0, 250, "lower", "pass"),
        (262.5, 250, "lower", "warn"),
        (263, 250, "lower", "fail"),
        (0, 0, "lower", "pass"),
        (1, 0, "lower", "fail"),
        (-105, -100, "higher", "warn"),
        (None, 100, "higher", "unknown"),
    ],
)
def test_judge(value, target, better, status):
    assert report.judge(value, target, better) == status


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0, "", "0"),
        (100, "%", "100 %"),
        (99.95, "%", "99.95 %"),
        (91.4, "%", "91.4 %"),
        (1250, "ms", "1,250 ms"),
        (0.005, "s", "0.01 s"),
    ],
)
def test_with_unit(number, unit, text):
    assert report.with_unit(number, unit) == text


def results(*values, target=100):
    checks = [{"name": f"check {i}", "value": value, "target": target} for i, value in enumerate(values)]
    return {"release": "1.0", "projects": [{"name": "One", "owner": "A team", "checks": checks}]}


@pytest.mark.parametrize(
    ("values", "status", "percent", "headline"),
    [
        ((), "unknown", 0, "No checks yet"),
        ((100,), "pass", 100, "Ready: every check meets its target"),
        ((100, None), "unknown", 50, "Almost ready: 1 check not measured"),
        ((100, None, 97), "warn", 33, "Almost ready: 1 check just short of the target"),
        ((100, 97, 10, 20), "fail", 25, "Not ready: 2 checks missed the target"),
        ((100,) * 199 + (0,), "fail", 99, "Not ready: 1 check missed the target"),
    ],
)
def test_summary(values, status, percent, headline):
    built = report.build(results(*values))
    assert built.summary.status == status
    assert built.summary.percent == percent
    assert built.headline == headline
    assert built.projects[0].summary == built.summary


def test_checks_stand_worst_first_then_in_the_order_of_the_backend():
    built = report.build(results(100, 10, None, 97, 20))
    assert [check.status for check in built.checks] == ["fail", "fail", "warn", "unknown", "pass"]
    assert [check.name for check in built.checks] == ["check 1", "check 4", "check 3", "check 2", "check 0"]


def test_segments_fill_the_bar_best_first():
    built = report.build(results(100, 100, 97, 10))
    assert built.summary.segments == [("pass", 0.0, 50.0), ("warn", 50.0, 25.0), ("fail", 75.0, 25.0)]
    assert report.build(results()).summary.segments == []


def test_texts_of_a_check():
    raw = results(None, target=250)
    raw["projects"][0]["checks"][0].update(unit="ms", better="lower", note="a note")
    [check] = report.build(raw).checks
    assert (check.project, check.value_text, check.target_text, check.note) == ("One", "–", "≤ 250 ms", "a note")


def test_release_and_owner_may_be_missing():
    built = report.build({"projects": [{"name": "One", "checks": []}]})
    assert (built.release, built.projects[0].owner) == ("", "")


def change(path, value):
    """The sample with one place changed."""
    raw = copy.deepcopy(report.sample())
    *way, last = path
    place = raw
    for step in way:
        place = place[step]
    place[last] = value
    return raw


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "the results are not an object"),
        ([], "the results are not an object"),
        ({}, "the results have no list `projects`"),
        (change(["projects"], "x"), "the results have no list `projects`"),
        (change(["projects", 1], 7), "`projects[1]` is not an object"),
        (change(["projects", 1, "name"], " "), "`projects[1].name` is not a text"),
        (change(["projects", 1, "checks"], None), "`projects[1]` has no list `checks`"),
        (change(["projects", 0, "checks", 2], "x"), "`projects[0].checks[2]` is not an object"),
        (change(["projects", 0, "checks", 2, "name"], None), "`projects[0].checks[2].name` is not a text"),
        (change(["projects", 0, "checks", 2, "value"], "9"), "`projects[0].checks[2].value` is not a number"),
        (change(["projects", 0, "checks", 2, "value"], True), "`projects[0].checks[2].value` is not a number"),
        (change(["projects", 0, "checks", 2, "target"], None), "`projects[0].checks[2].target` is not a number"),
        (
            change(["projects", 0, "checks", 2, "target"], float("nan")),
            "`projects[0].checks[2].target` is not a number",
        ),
        (
            change(["projects", 0, "checks", 2, "better"], "up"),
            "`projects[0].checks[2].better` is neither `higher` nor `lower`",
        ),
    ],
)
def test_wrong_results_name_the_place(raw, message):
    with pytest.raises(report.ReportError) as error:
        report.build(raw)
    assert str(error.value) == message


def test_the_sample_shows_every_status():
    assert all(report.build(report.sample()).summary.counts.values())
