#!/usr/bin/env python3
"""Measures what `cargo xtask` costs, against other ways from the same wheels to an RPM, and writes the page of it.

    python3 tests/bench/bench.py                          every row, then xtask/SPEED.md and xtask/speed.svg
    python3 tests/bench/bench.py --only release --only lock    these rows; nothing is written
    python3 tests/bench/bench.py --only lock --json FILE  and put them into FILE, beside the rows that it has
    python3 tests/bench/bench.py --page                   measure nothing, write the page from the kept figures
    python3 tests/bench/bench.py --build                  what a newcomer waits for: the same as `--only clone`

S is this repository's sample; L is S plus numpy, pandas, scipy, scikit-learn, matplotlib, sqlalchemy, lxml and pillow.
The ways, all from the same files of wheels, with zstd 3 and without byte-code:

  xtask            `xtask rpm --offline --level 3`, the dev build, which is what `cargo xtask` runs
  uv + nfpm        `uv pip install --target` from its warm cache into a new folder, then `nfpm package`
  pip + rpmbuild   `pip install --target --no-compile`, then `rpmbuild -bb`, with the defaults of both; once more by a
                   careful person, who has switched off what damages wheels (strip) or only costs time
  rpmvenv          a virtual environment in an RPM, told to leave out byte-code and to use zstd 3

A round goes every way once; a ratio is the median of the rounds' ratios, since two runs in one round share whatever
else the machine does. CPU is user + system of the whole process tree; the peak is that of its largest process. The
index is asked while repositories are prepared, and in the rows `clone` and `cold`. Scratch stays in
target/xtask/bench, about 5 GB; the row `one-large` takes 12 GB more while it runs.
Exit code 1: a goal was missed, or could not be measured.
"""

import argparse, datetime, json, os, shutil, sys
from pathlib import Path

import page
from measuring import ROOT, SCRATCH, busy, die, machine, run, say
from rows import MOST_PEAK, ROWS, Bench, figure
from ways import prepare_tools, versions

LATEST = Path(__file__).with_name("latest.json")


def passes(row_figure):
    """Whether a figure is what it ought to be; `None` where it is only shown."""
    if row_figure["goal"] is None:
        return None
    return row_figure["missing"] is None and row_figure["value"] <= row_figure["goal"]


def line(row_figure):
    value, unit = row_figure["value"], row_figure["unit"] and f" {row_figure['unit']}"
    verdict = {None: "    ", True: "PASS", False: "MISS"}[passes(row_figure)]
    shown = "not measured" if value is None else f"{value:.3g}{unit}"
    goal = "" if row_figure["goal"] is None else f", goal at most {row_figure['goal']:g}{unit}"
    why = f" ({row_figure['missing']})" if row_figure["missing"] else ""
    return f"{verdict}  {row_figure['what']}: {shown}{goal}{why}"


def built(given):
    """A copy of the program, which no build replaces meanwhile."""
    if not given:
        run(["cargo", "build", "--quiet", "--package", "xtask"], cwd=ROOT)
        given = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/xtask"
    shutil.copy2(given, SCRATCH / "xtask")
    return SCRATCH / "xtask"


def measured(names, bench):
    """The rows of these names, each printed as soon as it is there."""
    rows = {}
    for name in names:
        figures, rounds = ROWS[name](bench)
        title = ROWS[name].__doc__
        rows[name] = {"title": title, "day": datetime.date.today().isoformat(), "figures": figures, "rounds": rounds}
        print(f"\n{title} ({name})", *map(line, figures), sep="\n", flush=True)
    most, what = max(bench.peaks, default=(0, "nothing"))
    peak = figure(f"peak of xtask in all rows but one-large, which is that of `{what}`", most, MOST_PEAK, "MB")
    print("", line(peak), sep="\n")
    return rows, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=f"one of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, help="instead of each row's own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="with `--only`: where the rows go, with every measurement")
    parser.add_argument("--xtask", type=Path, metavar="FILE", help="measure this program, instead of building it first")
    parser.add_argument("--quick", action="store_true", help="leave out the slow ways on L, which take minutes each")
    parser.add_argument("--page", action="store_true", help="measure nothing, and write the page")
    parser.add_argument("--build", action="store_true", help="the same as `--only clone`")
    args = parser.parse_args()
    titles = {name: measure_row.__doc__ for name, measure_row in ROWS.items()}
    if args.page:
        return page.write(json.loads(LATEST.read_text()), passes, titles)
    names = (args.only or []) + (["clone"] if args.build else []) or list(ROWS)
    whole = len(names) == len(ROWS)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    prepare_tools()
    if busy() > 0.3:
        say(f"warning: {busy():.1f} processes wait for each core: ratios of CPU time hold, wall times do not")
    kept = args.json or (LATEST if whole else None)
    data = {"machine": machine(), "versions": versions(), "rows": {}}
    if kept and kept.exists() and not whole:
        before = json.loads(kept.read_text())
        before["machine"] == data["machine"] or die(f"the rows in `{kept.name}` are of another machine: measure all of them")
        data["rows"] = before["rows"]
    bench = Bench(built(args.xtask), args.rounds, args.quick)
    rows, peak = measured(names, bench)
    data["rows"] |= rows
    before = data["rows"].get("peak", {"figures": []})["figures"]
    most = max([*before, peak], key=lambda each: each["value"])
    data["rows"]["peak"] = {"title": "Memory", "day": datetime.date.today().isoformat(), "figures": [most], "rounds": []}
    data["rows"] = {name: data["rows"][name] for name in [*ROWS, "peak"] if name in data["rows"]}
    if kept:
        kept.write_text(json.dumps(data, indent=1) + "\n")
    if kept == LATEST:
        page.write(data, passes, titles)
    figures = [each for row in rows.values() for each in row["figures"]] + [peak]
    return 0 if all(passes(each) is not False for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
