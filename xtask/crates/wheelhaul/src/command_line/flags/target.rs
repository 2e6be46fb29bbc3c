//! The flags of `target`.

use clap::Args;
use wheelhaul_engine::target::{BoxScript, Options};

/// Show the targets, what one of them takes, or the scripts that describe a box
///
/// Without a name: the targets of `dist/package.toml`, and every known box with its Pythons. Works outside of
/// a repository too.
#[derive(Debug, Args)]
#[command(after_help = "A box that is not known is described once, by itself:\n  \
    cargo xtask target --probe > probe.sh            print the script (sh, and Python 3.6 or later)\n  \
    scp probe.sh BOX: && ssh BOX sh probe.sh python3.11 > dist/probes/BOX.json\n  \
    (or carry both files over on a stick; it reads, and changes nothing on the box)\n\n\
    Name the interpreter that the application will run on. Then name the file in `dist/package.toml`:\n  \
    [[target]]\n  \
    name = \"BOX\"                  # any name of its own\n  \
    probe = \"dist/probes/BOX.json\"\n\n\
    Or write down what differs from a known box, or everything:\n  \
    [[target]]\n  \
    name = \"BOX\"\n  \
    like = \"el9-x86_64\"\n  \
    python = \"3.11\"\n  \
    [target.box]                  # over `like`, over `probe`, or by itself with `python-full`\n  \
    python-path = \"/opt/python/bin/python3.11\"\n\n\
    Other examples:\n  \
    cargo xtask target el9-x86_64 --python 3.11 --tags     its wheel tags, best first\n  \
    cargo xtask target BOX --markers                       the values that markers are judged with")]
pub(crate) struct Flags {
    /// A target of `dist/package.toml`, or a known one
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Its wheel tags, best first
    #[arg(long, requires = "name")]
    tags: bool,
    /// The values that markers are judged with
    #[arg(long, requires = "name")]
    markers: bool,
    /// Which Python of a known box; the box's own if not given
    #[arg(long, value_name = "X.Y", requires = "name")]
    python: Option<String>,
    /// Print the script that describes a box
    #[arg(long, conflicts_with_all = ["name", "tags", "markers", "python", "evidence"])]
    probe: bool,
    /// Print the script that tells, after the installation, how the service does on a box; for `verify --box`
    #[arg(long, conflicts_with_all = ["name", "tags", "markers", "python"])]
    evidence: bool,
}

impl Flags {
    /// What is asked of one box, where one is named.
    pub(crate) fn options(&self) -> Option<Options> {
        let name = self.name.clone()?;
        Some(Options { name, tags: self.tags, markers: self.markers, python: self.python.clone() })
    }

    /// The script that is to be printed.
    pub(crate) fn script(&self) -> Option<BoxScript> {
        match (self.probe, self.evidence) {
            (true, _) => Some(BoxScript::Probe),
            (_, true) => Some(BoxScript::Evidence),
            _ => None,
        }
    }
}
