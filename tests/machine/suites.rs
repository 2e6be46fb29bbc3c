//! The machines, each nearest to a box: a Debian suite and the target that is packed for it.

/// A suite of Debian, and what is packed for its root.
#[derive(Debug)]
pub struct Suite {
    pub name: &'static str,
    /// The release tag of its RPMs, as `el9` in `1.el9`.
    pub tag: &'static str,
    /// `[[target]]`
    target: &'static str,
    /// Major and minor, as `rpm --version` prints them: the suite stands for these.
    pub rpm: &'static str,
}

impl Suite {
    /// `[[target]]` for every suite.
    pub fn targets() -> String {
        SUITES.iter().map(|suite| format!("[[target]]\n{}\n\n", suite.target)).collect()
    }
}

/// Known targets where the machine is one but for its name; else a box like a known one, with what is
/// less there.
#[rustfmt::skip]
pub const SUITES: [Suite; 4] = [
    // Python 3.9, systemd 247, glibc 2.31
    Suite { name: "bullseye", tag: "bullseye", rpm: "4.16",
            target: "name = \"bullseye-x86_64\"\nlike = \"el9-x86_64\"\npython = \"3.9\"\n\
                     [target.box]\nglibc = \"2.31\"\nsystemd = 247\nrelease = \"bullseye\"" },
    // Python 3.11, systemd 252, glibc 2.36
    Suite { name: "bookworm", tag: "el9", rpm: "4.18",
            target: "name = \"el9-x86_64\"\npython = \"3.11\"" },
    // Python 3.13, systemd 257, glibc 2.41
    Suite { name: "trixie", tag: "amzn2023", rpm: "4.20",
            target: "name = \"al2023-x86_64\"\npython = \"3.13\"" },
    // Python 3.14, systemd 262, glibc 2.43
    Suite { name: "forky", tag: "forky", rpm: "6.1",
            target: "name = \"forky-x86_64\"\nlike = \"al2023-x86_64\"\npython = \"3.14\"\n\
                     [target.box]\nrelease = \"forky\"" },
];
