//! What is in the package, as CycloneDX 1.6 JSON: the same bytes each time, so neither a serial number nor a clock.
//! Source: the standard's JSON schema; the package URL specification; PEP 770 for what wheels say of themselves.

use crate::rpm::PackageFacts;
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use wheelhaul_base::calendar::in_utc;
use wheelhaul_licenses::Spdx;
use wheelhaul_wheel::WheelName;
use wheelhaul_wheel::closure::Asks;

/// The package as a whole.
pub struct Subject<'a> {
    /// names, version and box
    pub facts: &'a PackageFacts<'a>,
    /// the name of the application's distribution
    pub application: &'a PackageName,
    /// the application's own licence
    pub license: &'a Spdx,
    /// the time of the commit, in seconds since 1970
    pub time: u32,
}

/// A distribution in it.
pub struct Component<'a> {
    /// normalized
    pub name: &'a PackageName,
    /// as locked
    pub version: &'a Version,
    /// the file that it came from
    pub wheel: &'a WheelName,
    /// of the file, in lower-case hex
    pub sha256: &'a str,
    /// its licence
    pub license: &'a Spdx,
    /// absolute paths, on the box, of what the wheel itself brings as SBOMs
    pub sboms: Vec<String>,
}

/// Writes the document.
///
/// `asks` says which package requires which on the box. What none requires is the application's.
pub fn cyclonedx(subject: &Subject<'_>, components: &[Component<'_>], asks: &[Asks]) -> String {
    let root = subject.purl();
    let refs: BTreeMap<&PackageName, String> = components.iter().map(|one| (one.name, one.purl())).collect();
    let mut depends: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::from([(root.as_str(), BTreeSet::new())]);
    depends.extend(refs.values().map(|purl| (purl.as_str(), BTreeSet::new())));
    let mut asked = BTreeSet::new();
    for one in asks.iter().filter(|one| one.by != one.name) {
        let by = if one.by == *subject.application { Some(&root) } else { refs.get(&one.by) };
        let (Some(by), Some(name)) = (by, refs.get(&one.name)) else { continue };
        depends.entry(by).or_default().insert(name);
        asked.insert(name.as_str());
    }
    let of_root = refs.values().map(String::as_str).filter(|purl| !asked.contains(purl));
    depends.entry(&root).or_default().extend(of_root);
    let target = subject.facts.target;
    let property = |name: &str, value: String| json!({"name": format!("xtask:{name}"), "value": value});
    let glibc = target.distribution.glibc;
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": in_utc(subject.time),
            "tools": {"components": [{"type": "application", "name": "wheelhaul", "version": env!("CARGO_PKG_VERSION")}]},
            "component": {
                "type": "application",
                "bom-ref": &root,
                "name": subject.facts.name,
                "version": subject.facts.evr(),
                "purl": &root,
                "licenses": [{"expression": subject.license.to_string()}],
            },
            "properties": [
                property("target", target.name.clone()),
                property("python", target.python_full.to_string()),
                property("glibc", format!("{}.{}", glibc.0, glibc.1)),
                property("arch", target.arch.clone()),
            ],
        },
        "components": components.iter().map(Component::json).collect::<Vec<_>>(),
        "dependencies": depends.iter().map(|(by, on)| json!({"ref": by, "dependsOn": on})).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

/// The document's name in the bundle; on the box it is `sbom.cdx.json`.
pub fn file_name(target: &str) -> String {
    format!("sbom.{target}.cdx.json")
}

impl Subject<'_> {
    fn purl(&self) -> String {
        let facts = self.facts;
        let evr = facts.evr();
        let (epoch, version) = evr.split_once(':').map_or((None, evr.as_str()), |(epoch, rest)| (Some(epoch), rest));
        let epoch = epoch.map(|epoch| format!("&epoch={epoch}")).unwrap_or_default();
        format!("pkg:rpm/{}@{}?arch={}{epoch}", encoded(facts.name), encoded(version), encoded(&facts.target.arch))
    }
}

impl Component<'_> {
    fn purl(&self) -> String {
        format!("pkg:pypi/{}@{}", encoded(self.name.as_ref()), encoded(&self.version.to_string()))
    }

    fn json(&self) -> Value {
        let mut value = json!({
            "type": "library",
            "bom-ref": self.purl(),
            "name": self.name.as_ref(),
            "version": self.version.to_string(),
            "purl": self.purl(),
            "hashes": [{"alg": "SHA-256", "content": self.sha256}],
            "licenses": [{"expression": self.license.to_string()}],
            "properties": [{"name": "xtask:wheel", "value": self.wheel.to_string()}],
        });
        if !self.sboms.is_empty() {
            let path = |path: &String| path.split('/').map(encoded).collect::<Vec<_>>().join("/");
            let own = self.sboms.iter().map(|sbom| json!({"type": "bom", "url": path(sbom)}));
            value["externalReferences"] = own.collect();
        }
        value
    }
}

/// Percent-encoded, but for what RFC 3986 calls unreserved.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte => write!(encoded, "%{byte:02X}").expect("a String takes all"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_boxes::Target;

    #[test]
    fn what_nobody_requires_is_the_applications() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let version = "1!2.0+local".parse().unwrap();
        let facts = PackageFacts {
            name: "demo",
            version: &version,
            release: "1",
            target: &target,
            needs_openssl: false,
            has_config: false,
            libraries: Vec::new(),
            others: Default::default(),
            bundled: Vec::new(),
        };
        let license: Spdx = "MIT".parse().unwrap();
        let names: Vec<PackageName> = ["demo-app", "a", "b", "c"].map(|name| name.parse().unwrap()).into();
        let wheel: WheelName = "a-1-py3-none-any.whl".parse().unwrap();
        let component = |name| Component {
            name,
            version: &version,
            wheel: &wheel,
            sha256: "ab",
            license: &license,
            sboms: vec!["/opt/demo/lib/a.dist-info/sboms/ä b.json".to_owned()],
        };
        let asks = |by: usize, name: usize| Asks {
            name: names[name].clone(),
            by: names[by].clone(),
            extra: None,
            what: String::new(),
        };
        let subject = Subject { facts: &facts, application: &names[0], license: &license, time: 0 };
        let components: Vec<Component<'_>> = names[1..].iter().map(component).collect();
        let text = cyclonedx(&subject, &components, &[asks(0, 1), asks(1, 2), asks(1, 1)]);
        let read: Value = serde_json::from_str(&text).unwrap();
        let root = "pkg:rpm/demo@2.0.0%2Blocal.local-1.el9?arch=x86_64&epoch=1";
        let purl = |name: &str| format!("pkg:pypi/{name}@1%212.0%2Blocal");
        let on = |name: &str| {
            let rows = read["dependencies"].as_array().unwrap().iter();
            let row = rows.clone().find(|row| row["ref"] == name).unwrap_or_else(|| panic!("no {name} in {text}"));
            row["dependsOn"].clone()
        };
        assert_eq!(on(root), json!([purl("a"), purl("c")]));
        assert_eq!(on(&purl("a")), json!([purl("b")]));
        assert_eq!(on(&purl("b")), json!([]));
        let own = &read["components"][0]["externalReferences"][0]["url"];
        assert_eq!(own, "/opt/demo/lib/a.dist-info/sboms/%C3%A4%20b.json");
    }
}
