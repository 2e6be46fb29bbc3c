//! One element of a search path, `DT_RPATH` or `DT_RUNPATH` (ld.so(8), "Dynamic string tokens").

/// Where an element leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchPlace {
    /// a folder of the package, below `/opt/NAME`: `lib/numpy.libs`
    Folder(String),
    /// a folder of the box, as it stands there
    OfBox(String),
    /// above what the file can know of: out of the package
    Above,
    /// the folder that the program is started in, or one below
    Working,
    /// known on the box only: `$LIB` and `$PLATFORM` depend on it
    Unknown,
}

impl SearchPlace {
    /// Takes the element, and the folder of the file that it stands in, below `/opt/NAME`: `lib/numpy`.
    pub fn of(element: &str, origin: &str) -> Self {
        let relative = element.strip_prefix("$ORIGIN").or_else(|| element.strip_prefix("${ORIGIN}"));
        let Some(relative) = relative.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return match element.starts_with('/') {
                _ if element.contains('$') => Self::Unknown,
                true => Self::OfBox(element.to_owned()),
                false => Self::Working,
            };
        };
        let mut parts: Vec<&str> = origin.split('/').filter(|part| !part.is_empty()).collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                part if part.contains('$') => return Self::Unknown,
                ".." if parts.pop().is_none() => return Self::Above,
                ".." => {}
                part => parts.push(part),
            }
        }
        Self::Folder(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_lead_where_the_loader_goes() {
        let folder = |path: &str| SearchPlace::Folder(path.to_owned());
        #[rustfmt::skip]
        let cases = [ // element               where
            ("$ORIGIN",                        folder("lib/a")),
            ("${ORIGIN}/../a.libs/",           folder("lib/a.libs")),
            ("$ORIGIN/../../x/./y",            folder("x/y")),
            ("$ORIGIN/../..",                  folder("")),
            ("$ORIGIN/../../../lib",           SearchPlace::Above),
            ("$ORIGIN/../$LIB",                SearchPlace::Unknown),
            ("/usr/$LIB/x",                    SearchPlace::Unknown),
            ("$ORIGINAL/x",                    SearchPlace::Unknown),
            ("/usr/lib64",                     SearchPlace::OfBox("/usr/lib64".to_owned())),
            ("",                               SearchPlace::Working),
            (".",                              SearchPlace::Working),
            ("lib",                            SearchPlace::Working),
        ];
        for (element, place) in cases {
            assert_eq!(SearchPlace::of(element, "lib/a"), place, "{element:?}");
        }
    }
}
