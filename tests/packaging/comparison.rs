//! Comparisons of a variable with a literal, and numbers to choose among them.

/// One comparison, from which markers are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Atom {
    pub variable: &'static str,
    pub operator: &'static str,
    pub literal: &'static str,
    /// the literal stands on the left
    pub reversed: bool,
}

impl Atom {
    /// The comparison as text, by the whims of `taste`.
    pub fn write(&self, taste: &mut Lcg) -> String {
        let quote = if self.literal.contains('"') || taste.one_in(2) { '\'' } else { '"' };
        let literal = format!("{quote}{}{quote}", self.literal);
        let (left, right) = match self.reversed {
            true => (literal, self.variable.to_owned()),
            false => (self.variable.to_owned(), literal),
        };
        // Words must be apart from words; everything else may touch.
        let is_word = self.operator.ends_with("in");
        let space = |taste: &mut Lcg, must: bool| {
            if must { taste.pick(&[" ", "  ", "\t"]) } else { taste.pick(&["", " ", " ", " \t "]) }
        };
        let before = space(taste, is_word);
        let after = space(taste, is_word);
        let operator = match self.operator {
            "not in" => format!("not{}in", space(taste, true)),
            other => other.to_owned(),
        };
        format!("{left}{before}{operator}{after}{right}")
    }

    pub fn is_of_version(&self) -> bool {
        VERSION_VARIABLES.contains(&self.variable)
    }
}

const VERSION_VARIABLES: [&str; 3] = ["python_version", "python_full_version", "implementation_version"];
const STRING_VARIABLES: [&str; 15] = [
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "implementation_name",
    "extra",
    // PEP 508: "old names"
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
    "python_implementation",
];
const OPERATORS: [&str; 10] = ["<", "<=", "==", "!=", ">=", ">", "~=", "===", "in", "not in"];
#[rustfmt::skip]
const VERSION_LITERALS: [&str; 53] = [
    "0", "2", "2.7", "2.7.18", "3", "3.0", "3.2", "3.5", "3.6", "3.6.0", "3.6.8", "3.6.9", "3.7", "3.8", "3.9",
    "3.9.0", "3.9.25", "3.9.26", "3.10", "3.11", "3.11.0", "3.11.13", "3.11.13.0", "3.12", "3.12.11", "3.13",
    "3.14", "3.14.0", "3.14.1", "3.15", "4", "4.0", "3.*", "3.9.*", "3.11.*", "3.11.13.*", "4.*", "3.14.0rc1",
    "3.14.0a1", "3.11.0.dev1", "3.11.13.post1", "3.9+local", "1!3.9", "3.9.", "3.x", "03.09", "v3.11", " 3.9",
    "3.9, 3.11", "3.9,3.11", "3.9 3.11", "x", "",
];
#[rustfmt::skip]
const STRING_LITERALS: [&str; 30] = [
    "linux", "linux2", "win32", "darwin", "cygwin", "posix", "nt", "java", "x86_64", "aarch64", "arm64",
    "AMD64", "i686", "CPython", "cpython", "PyPy", "pypy", "Linux", "Windows", "Darwin", "linux darwin",
    "linux, win32", "x86_64,aarch64", "x86_64 AMD64 i686", "test", "Test_Extra", "5", "5.14.0",
    "5.14.0-503.el9", "",
];

/// Every variable with every operator and literal, both ways round.
pub fn atoms() -> Vec<Atom> {
    let mut atoms = Vec::new();
    let kinds: [(&[&str], &[&'static str]); 2] =
        [(&VERSION_VARIABLES, &VERSION_LITERALS), (&STRING_VARIABLES, &STRING_LITERALS)];
    for (variables, literals) in kinds {
        for variable in variables {
            let variable = VERSION_VARIABLES.iter().chain(&STRING_VARIABLES).find(|v| *v == variable).expect("listed");
            for operator in OPERATORS {
                for literal in literals {
                    for reversed in [false, true] {
                        atoms.push(Atom { variable, operator, literal, reversed });
                    }
                }
            }
        }
    }
    atoms
}

/// Numbers in a fixed order (Knuth's MMIX constants), so that a failure comes again.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
