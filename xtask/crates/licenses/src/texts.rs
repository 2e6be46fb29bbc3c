//! Licences by their own words.

/// The licence that a text is; none where its words are no licence's that is known here, or those of several.
pub(super) fn recognize(text: &str) -> Option<&'static str> {
    // A licence is not that long; what is longer is many.
    if text.len() > 200_000 {
        return None;
    }
    let words = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |phrase: &str| words.contains(phrase);
    let mut found = Vec::new();
    if has("permission is hereby granted, free of charge, to any person obtaining a copy of this software") {
        // Without the second sentence it is MIT-0, and with others X11 or a relative.
        found.push(match has("the above copyright notice and this permission notice shall be included") {
            true if !has("except as contained in this notice, the name") => Some("MIT"),
            _ => None,
        });
    }
    if has("redistribution and use in source and binary forms, with or without modification, are permitted") {
        let is_plain = has("redistributions in binary form must reproduce") && !has("all advertising materials");
        found.push(match has("endorse or promote products") {
            _ if !is_plain => None,
            true => Some("BSD-3-Clause"),
            false => Some("BSD-2-Clause"),
        });
    }
    if has("apache license") && has("version 2.0, january 2004") {
        found.push(Some("Apache-2.0"));
    }
    if has("permission to use, copy, modify, and/or distribute this software for any purpose with or without fee") {
        found.push(Some("ISC").filter(|_| has("provided that the above copyright notice")));
    }
    if has("mozilla public license version 2.0") || has("mozilla public license, version 2.0") {
        found.push(Some("MPL-2.0"));
    }
    if ["gnu general public license", "gnu lesser general public license"].into_iter().any(has)
        && !has("mozilla public")
    {
        found.push(None);
    }
    match found.as_slice() {
        [one] => *one,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_licences_in_one_text_are_none() {
        let mit = "Permission is hereby granted, free of charge, to any person obtaining a copy\n of this software \
            The above copyright notice and this permission notice shall be included";
        let bsd = "Redistribution and use in source and binary forms, with or without modification, are permitted. \
            Redistributions in binary form must reproduce";
        assert_eq!(recognize(mit), Some("MIT"));
        assert_eq!(recognize(bsd), Some("BSD-2-Clause"));
        assert_eq!(recognize(&format!("{mit}\n{bsd}")), None);
        assert_eq!(recognize(&bsd.replace("Redistributions", "All advertising materials")), None);
        assert_eq!(
            recognize(&mit.replace("The above", "Except as contained in this notice, the name … The above")),
            None
        );
        assert_eq!(recognize("Apache License\n   Version 2.0, January 2004"), Some("Apache-2.0"));
        assert_eq!(recognize("licensed under the GNU General Public License"), None);
        assert_eq!(recognize(""), None);
    }
}
