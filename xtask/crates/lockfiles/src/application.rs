//! Which entry of a lock is the application itself: pipenv, pip-tools, uv and `pip freeze` write it there in many
//! spellings, and it is packed anyway.

use crate::file_names::package_name;
use crate::paths::{inside, percent_decoded};
use crate::project_file::as_json;
use camino::{Utf8Path, Utf8PathBuf};
use pep508_rs::PackageName;

/// The application as entries of a lock can name it.
#[derive(Debug, Clone)]
pub struct Application<'a> {
    /// its folder, relative to the repository; `.` for the repository itself
    pub folder: &'a Utf8Path,
    /// its name, where its project file says one
    pub name: Option<PackageName>,
    /// absolute paths of the repository on this host, for locks that have absolute paths
    pub checkouts: Vec<Utf8PathBuf>,
}

/// A folder as a lock names it, taken apart.
struct Folder {
    path: String,
    /// `#egg=`
    name: Option<PackageName>,
}

impl<'a> Application<'a> {
    /// An application of which only the folder is known.
    pub fn in_folder(folder: &'a Utf8Path) -> Self {
        Self { folder, name: None, checkouts: Vec::new() }
    }

    /// The name in a `pyproject.toml`, by the standard or by Poetry.
    pub fn name_in_pyproject(text: &str) -> Option<PackageName> {
        let file = as_json(text)?;
        let name = file["project"]["name"].as_str().or(file["tool"]["poetry"]["name"].as_str())?;
        package_name(name).ok()
    }

    /// The name under `[metadata]` of a `setup.cfg`.
    pub fn name_in_setup(text: &str) -> Option<PackageName> {
        let lines = text.lines().skip_while(|line| line.trim() != "[metadata]").skip(1);
        let mut of_table = lines.take_while(|line| !line.starts_with('['));
        let value = of_table.find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix(['=', ':']))?;
        package_name(value.trim()).ok()
    }

    /// Whether a package is the application.
    pub fn is_named(&self, name: &PackageName) -> bool {
        self.name.as_ref() == Some(name)
    }

    /// Whether a folder or a repository of code, named by path or URL, is the application.
    ///
    /// A name decides as well as a path: the absolute path is that of the checkout where it was locked.
    ///
    /// - Takes: `base`, the folder that relative paths start in; `at`, `.`, `/abs/app`, `file:.#egg=shop`,
    ///   `git+https://…#egg=shop`; `name`, where the entry says it elsewhere.
    pub fn is_at(&self, base: &Utf8Path, at: &str, name: Option<&PackageName>) -> bool {
        let Some(folder) = Folder::of(at) else { return false };
        if name.or(folder.name.as_ref()).is_some_and(|name| self.is_named(name)) {
            return true;
        }
        let own = inside(self.folder, "");
        let mut places = vec![inside(base, &folder.path)];
        let path = plain(&folder.path);
        for checkout in self.checkouts.iter().filter(|_| is_absolute(&path)) {
            let below = Utf8Path::new(&path).strip_prefix(plain(checkout.as_str())).ok();
            places.push(below.and_then(|below| inside(Utf8Path::new(""), below.as_str())));
        }
        !folder.path.is_empty() && places.into_iter().flatten().any(|place| Some(place) == own)
    }
}

impl Folder {
    fn of(at: &str) -> Option<Self> {
        let is_file = at.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
        // A plain path has no fragment: `app#x` is a folder of that name, as for pip.
        let is_url = is_file || at.contains("://");
        let (front, fragment) = at.split_once('#').filter(|_| is_url).unwrap_or((at, ""));
        let front = front.strip_suffix(']').and_then(|front| front.rsplit_once('[')).map_or(front, |(front, _)| front);
        let mut name = None;
        let mut below = "";
        for part in fragment.split('&') {
            if let Some(egg) = part.strip_prefix("egg=") {
                let egg = percent_decoded(egg)?;
                name = package_name(egg.split('[').next().unwrap_or_default()).ok();
            }
            below = part.strip_prefix("subdirectory=").unwrap_or(below);
        }
        let path = match is_file {
            true => path_in_url(front.get(5..)?)?,
            false if !is_url => front.to_owned(),
            false => String::new(),
        };
        let path = if below.is_empty() { path } else { format!("{path}/{}", percent_decoded(below)?) };
        Some(Self { path, name })
    }
}

/// The path in what follows `file:` (RFC 8089): `///abs`, `//localhost/abs`, `/abs`, and the `.` of setuptools' days.
fn path_in_url(rest: &str) -> Option<String> {
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            matches!(host, "" | "localhost" | ".").then_some(if host == "." { rest } else { path })?
        }
        None => rest,
    };
    percent_decoded(path)
}

/// A path with `/` alone, and without the `/` before a drive that URLs have.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    match path.strip_prefix('/').filter(|rest| has_drive(rest)) {
        Some(rest) => rest.to_owned(),
        None => path,
    }
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || has_drive(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_application_is_known() {
        let application = Application {
            folder: Utf8Path::new("app"),
            name: Some("my-shop".parse().unwrap()),
            checkouts: vec!["/home/me/shop".into(), "C:\\work\\shop".into()],
        };
        #[rustfmt::skip]
        let cases = [ // in the lock of `app`                        is the application
            (".",                                                    true),
            ("./",                                                   true),
            ("../app",                                               true),
            ("file:.",                                               true),
            ("file:./",                                              true),
            ("file:.#egg=other",                                     true),
            ("FILE:../app",                                          true),
            ("file:.[web]",                                          true),
            ("/home/me/shop/app",                                    true),
            ("/home/me/shop/x/../app/",                              true),
            ("file:///home/me/shop/app",                             true),
            ("file:/home/me/shop/app",                               true),
            ("file://localhost/home/me/sh%6Fp/app",                  true),
            ("file:///home/me/shop#subdirectory=app",                true),
            ("C:/work/shop/app",                                     true),
            ("file:///C:/work/shop/app",                             true),
            ("file:///elsewhere/of/someone#egg=My_Shop",             true),
            ("git+ssh://git@code.example/x.git@0a1#egg=my.shop[web]", true),
            (".#egg=my-shop",                                        false),
            ("",                                                     false),
            ("..",                                                   false),
            ("../other",                                             false),
            ("file:///home/me/shop",                                 false),
            ("file:///home/me/shopping/app",                         false),
            ("file:///home/you/shop/app",                            false),
            ("file://other.example/home/me/shop/app",                false),
            ("git+https://code.example/x.git#egg=other",             false),
            ("https://code.example/app",                             false),
        ];
        for (at, is_own) in cases {
            assert_eq!(application.is_at(Utf8Path::new("app"), at, None), is_own, "{at}");
        }
        let named = |text: &str| Application::name_in_pyproject(text).or(Application::name_in_setup(text));
        for text in
            ["[project]\nname = 'My.Shop'", "[tool.poetry]\nname = 'my-shop'", "[metadata]\nv = 1\nname = My_Shop\n"]
        {
            assert_eq!(named(text), application.name, "{text}");
        }
        for text in ["", "[project]\nversion = '1'", "[options]\nname = x", "[metadata]\n[other]\nname = x", "["] {
            assert_eq!(named(text), None, "{text}");
        }
        let (own, other) = ("my-shop".parse().unwrap(), "other".parse().unwrap());
        for (name, is_own) in [(&own, true), (&other, false)] {
            assert_eq!(application.is_at(Utf8Path::new("app"), "/elsewhere", Some(name)), is_own, "{name}");
        }
    }
}
