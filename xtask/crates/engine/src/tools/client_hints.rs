//! What to do where a client of the index failed, by what it said: a hint that is of something else sends people the wrong way.

/// What a pip from 24.1 on says of metadata that older ones take, though it only has to fetch the file.
pub(crate) const REFUSES_METADATA: &str = "has invalid metadata";

/// What pip says of a file that is another one.
pub(crate) const OTHER_BYTES: &str = "DO NOT MATCH THE HASHES";

/// The cure, by what pip said.
pub(crate) fn for_pip(said: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if says(&[OTHER_BYTES]) {
        "the index serves other bytes than were locked: ask whoever runs it; where a release was replaced on purpose, `cargo xtask lock --refresh`"
    } else if says(&[REFUSES_METADATA]) {
        "lock a newer release; or fetch the file by other means and copy it into `dist/wheels`: it is taken by its sha256"
    } else if says(&CERTIFICATES) {
        "behind a proxy that inspects TLS, give pip your company's certificates: `pip config set global.cert FILE`"
    } else if says(&PROXIES) {
        "a proxy stands between: look at `pip config list`, HTTPS_PROXY and NO_PROXY; without a network, use `--offline` with a filled `dist/wheels`"
    } else if says(&REFUSED) {
        "the index wants to know who asks, or refuses it: put credentials into `~/.netrc`, keyring, or the index's URL in pip's configuration"
    } else if says(&["404 Client Error", "HTTP error 404", "404 Not Found", "410 "]) {
        "the index no longer has a file that is locked: `cargo xtask lock --refresh` asks it again"
    } else if says(&NO_NETWORK) {
        "is there a network? without one, use `--offline` with a filled `dist/wheels`"
    } else {
        "what pip said is above; where the index changed, `cargo xtask lock --refresh`"
    }
}

/// Words of clients that do not trust who answers.
const CERTIFICATES: [&str; 4] = ["CERTIFICATE_VERIFY_FAILED", "SSLError", "invalid peer certificate", "UnknownIssuer"];
/// Words of clients that a proxy stops.
const PROXIES: [&str; 4] = ["ProxyError", "Cannot connect to proxy", "407 Proxy", "tunnel error"];
/// Words of clients that an index does not let in.
const REFUSED: [&str; 6] =
    ["401 Client Error", "403 Client Error", "HTTP error 401", "HTTP error 403", "401 Unauthorized", "403 Forbidden"];
/// Words of clients that reach nobody.
const NO_NETWORK: [&str; 10] = [
    "Temporary failure in name resolution",
    "Name or service not known",
    "failed to lookup address",
    "dns error",
    "NewConnectionError",
    "ConnectTimeout",
    "Connection refused",
    "Network is unreachable",
    "timed out",
    "error sending request",
];

/// What uv says of a release that the index does not have.
pub(crate) const NO_RELEASE: &str = "there is no version of";
/// What uv says of a release that needs a newer Python.
pub(crate) const NEWER_PYTHON: &str = "does not satisfy Python";
/// What uv says where no set of releases satisfies everything.
pub(crate) const NO_SOLUTION: &str = "No solution found";

/// The cure, by what uv said.
pub(crate) fn for_uv(said: &str) -> &'static str {
    const NOT_THERE: [&str; 3] = ["was not found in the package registry", NO_RELEASE, NO_SOLUTION];
    let says = |all: &[&str]| all.iter().any(|words| said.contains(words));
    if says(&NOT_THERE) {
        "the index does not have what is locked, or not for this Python: correct the lock; an index of your own goes into uv.toml or UV_DEFAULT_INDEX (pip's configuration is not read for this)"
    } else if says(&CERTIFICATES) {
        "behind a proxy that inspects TLS, set SSL_CERT_FILE to your company's certificates, or UV_SYSTEM_CERTS=1"
    } else if says(&PROXIES) {
        "a proxy stands between: look at HTTPS_PROXY and NO_PROXY"
    } else if says(&REFUSED) {
        "the index wants to know who asks, or refuses it: put credentials into `~/.netrc`, keyring, or the index's URL in uv.toml"
    } else if says(&NO_NETWORK) {
        "is there a network? an index of your own goes into uv.toml or UV_DEFAULT_INDEX (pip's configuration is not read for this)"
    } else {
        "what uv said is above; its configuration is uv.toml, `[tool.uv]` of the application's folder and UV_…"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_of_what_went_wrong() {
        #[rustfmt::skip]
        let cases = [ // what pip said                                                                          the hint
            ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "company's certificates"),
            ("Cannot connect to proxy., OSError('Tunnel connection failed: 407 Proxy Authentication Required')", "a proxy stands between"),
            ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",            "is there a network?"),
            ("ERROR: HTTP error 404 while getting https://index.example/proxy_tools-1-py3-none-any.whl",         "no longer has a file"),
            ("ERROR: 401 Client Error: Unauthorized for url",                                                   "who asks"),
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",                        "other bytes"),
            ("ERROR: Requested celery==4.4.7 from https://index.example/x has invalid metadata: Expected",       "copy it into `dist/wheels`"),
            ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied",               "what pip said is above"),
        ];
        for (said, hint) in cases {
            assert!(for_pip(said).contains(hint), "{said}: {}", for_pip(said));
        }
    }
}
