//! How RPMs are built, and by what.

/// What writes the RPM; files, owners, scriptlets and dependencies are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Builder {
    /// this tool, in one pass
    #[default]
    Native,
    /// the real rpmbuild, from a spec and sources below `dist/rpmbuild`
    Rpmbuild,
}

/// How RPMs are built; also of `dist`.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Start no program that reaches the network: every wheel must be in `dist/wheels`, and what builds the application in
    /// `dist/wheels/tools`
    pub offline: bool,
    /// Compression level of the payload, instead of `package.compression-level`: 1 to 19 for zstd (el9 and later; 9 if
    /// neither is given), 1 to 9 for gzip (el7, el8; 6), where larger files stay as their wheels have them deflated
    pub level: Option<i32>,
    /// What writes the RPM
    pub builder: Builder,
    /// Let rpmbuild write a source package beside each RPM, which `rpmbuild --rebuild` turns into it again
    pub source: bool,
}
