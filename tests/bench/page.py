"""The page of the documentation: `xtask/SPEED.md` and its chart, from kept figures."""

import textwrap

import chart
from measuring import ROOT, median

PAGE, CHART = ROOT / "xtask/SPEED.md", ROOT / "xtask/speed.svg"
NOT_MEASURED = "not measured"

HEAD = """# What it costs

A release mostly changes the application and nothing else. So the cost of a build ought to follow what changed, and the
first build ought to cost less than the other ways.

![CPU time of the ways to an RPM, as a chart; the numbers are in the tables below](speed.svg)
"""

COMPARED = """## What is compared

- **S** is the sample in this repository. **L** is S plus numpy, pandas, scipy, scikit-learn, matplotlib, sqlalchemy, lxml
  and pillow.
- Every way starts from the same files of wheels, without a network, and ends with one RPM at zstd 3 without byte-code.
- **xtask** is `cargo xtask rpm --offline --level 3`, in the dev build that `cargo xtask` runs.
- **uv + nfpm** is `uv pip install --target` from its warm cache into a new folder, then `nfpm package`. It is the fastest
  other way that we know. What it makes has no service, no launcher and no check, and its scripts name the build host.
- **pip + rpmbuild** is `pip install --target`, then `rpmbuild -bb`, with the defaults of both. The careful one has
  switched off stripping, which breaks numpy, and the search for dependencies.
- **rpmvenv** puts a whole virtual environment into the RPM. It is told to use zstd 3 and to leave byte-code out, both of
  which are not its defaults. Its newest release does not run with virtualenv 21: an older one is pinned.

## Why ratios

Seconds say as much about the machine as about the work. So each round goes every way once, and a figure is the median
of the rounds' ratios: what else the machine did, it did to both. CPU is user and system time of the whole process tree.
Wall time is given where somebody waits. The peak is that of the largest process.

`tests/cost.rs` holds the same idea in CI. It counts instructions, so a busy machine changes nothing.

## What the rows mean

- **First build**: the folder of kept pieces is emptied before each. Level 3 is what the others use; our default level is
  shown beside it.
- **Re-release**: one line of the application changes and is committed. Its wheel is made before the clock starts, since
  the other ways get it ready-made as well; the figure with it is shown too. The others know no better than to pack all
  again. Level 19 is compared with uv + nfpm at level 3.
- **Three targets**: L with Python 3.12. el9 and el10 take zstd and share every piece of a wheel that both take. el8 takes
  gzip, so its pieces are its own.
- **Small files, large files**: wheels that `tests/bench/large.py` makes. Twice the files may cost twice as much.
- **lock, dist with nothing changed**: what a hook and a careful person run again and again.
- **verify** is held against `rpm -K` with `rpm2cpio | cpio -t`, which show no more than that an RPM is whole.
- **Clean clone**: compiling everything, then the first RPM, with the tools and wheels that it fetches.
- **Cold dist** is held against `pip download` of the same pins. Nobody has a cache.

## Why keeping pieces makes the difference

Most of the work of an RPM is compressing, and most of what is compressed was compressed before. The payload is a row of
pieces, some megabytes of one wheel each. What is in a piece follows from the digests in the wheel's RECORD, from where its
files land, and from the level. All of that is known before anything is unpacked. So a piece that was made once is read
from the user's cache folder, and neither unpacked nor compressed again. The bytes of the RPM do not depend on it. A high
level is then paid once for each dependency, and not once for each release.

## What is not measured

- Other machines: the figures are of the one above. A processor without instructions for SHA-256 pays more for digests.
- Disks: everything is in the page cache. On a slow disk the ways that write a tree lose more.
- Windows and macOS; `--builder rpmbuild`; signing; the time of a network, but for the row that says so.
- Whether what the other ways make installs and runs.
"""

TAIL = """## How this page is made

`python3 tests/bench/bench.py` measures every row, keeps the measurements in `tests/bench/latest.json`, and writes this page
and the chart. It takes about half an hour on a quiet machine. `--only ROW` measures one row; `--page` only writes the page
anew.
"""


def with_unit(value, unit):
    return NOT_MEASURED if value is None else f"{value:.3g}{unit and ' ' + unit}"


def goals(data, passes, titles):
    """Every figure; a goal that was missed, or was not measured, is a MISS."""
    lines = ["| work | figure | goal | |", "|---|---|---|---|"]
    absent = {name: {"title": title, "figures": []} for name, title in titles.items()}
    for row in (absent | data["rows"]).values():
        if not row["figures"]:
            lines.append(f"| **{row['title']}** | {NOT_MEASURED} | | **MISS** |")
            continue
        lines.append(f"| **{row['title']}** | | | |")
        for each in row["figures"]:
            goal = "" if each["goal"] is None else f"≤ {each['goal']:g}{each['unit'] and ' ' + each['unit']}"
            verdict = {None: "", True: "pass", False: "**MISS**"}[passes(each)]
            why = f": {each['missing']}" if each["missing"] else ""
            lines.append(f"| {each['what']} | {with_unit(each['value'], each['unit'])}{why} | {goal} | {verdict} |")
    return "\n".join(lines)


def absolute(data):
    """Medians of each way, in seconds and megabytes."""
    lines = ["| | CPU s | wall s | peak MB | RPM MB |", "|---|---|---|---|---|"]
    rounds = {}
    for each in data["rows"].get("first", {"rounds": []})["rounds"]:
        rounds.setdefault(f"{each['size']}, first build", []).append(each)
    rounds["L, only the application changed"] = data["rows"].get("release", {"rounds": []})["rounds"]
    for title, results in rounds.items():
        # Some ways are not gone in every round.
        names = {way: None for each in results for way, values in each.items() if isinstance(values, dict)}
        for way in names:
            shown = []
            for what, digits in [("cpu", 2), ("wall", 2), ("peak", 0), ("rpm", 1)]:
                have = any(what in each.get(way, {}) for each in results)
                shown.append(f"{median(results, way, what):.{digits}f}" if have else "")
            lines.append(f"| {title}: {way} | {' | '.join(shown)} |")
    return "\n".join(lines)


def drawn(data):
    """The chart: what each way costs on L, of uv + nfpm."""
    first = [each for each in data["rows"].get("first", {"rounds": []})["rounds"] if each["size"] == "L"]
    again = data["rows"].get("release", {"rounds": []})["rounds"]

    def share(rounds, way):
        have = any(way in each and "uv + nfpm" in each for each in rounds)
        return median(rounds, "uv + nfpm", "cpu", of=way) if have else None

    others = ["pip + rpmbuild", "rpmvenv", "uv + nfpm"]
    firsts = [(name, share(first, name), False) for name in others] + [("xtask", share(first, "xtask"), True)]
    releases = [(f"xtask, {level}", share(again, level), True) for level in ["level 3", "level 19"]]
    groups = [
        ("First build", firsts),
        ("Only the application changed", releases),
    ]
    return chart.draw("CPU time to an RPM of L", "uv + nfpm = 1, logarithmic; a bar to the left is less", groups)


def about(data):
    host, versions = data["machine"], data["versions"]
    days = sorted({row["day"] for row in data["rows"].values()})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    text = (
        f"Measured {when} on {host['processor']}, {host['cores']} cores, {host['memory']} of memory, {host['kernel']}; with {tools}. "
        "Where a goal is missed, the row says MISS; what could not be measured does not pass."
    )
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def write(data, passes, titles):
    """Writes page and chart; gives the exit code.

    - Takes: `passes`, which judges a figure; `titles`, of all rows by their names.
    """
    CHART.write_text(drawn(data))
    heads = ["## The figures", "", about(data), "", goals(data, passes, titles), "", "In seconds and megabytes, medians:", "", absolute(data), ""]
    PAGE.write_text("\n".join([HEAD, *heads, COMPARED, TAIL]).rstrip() + "\n")
    return 0
