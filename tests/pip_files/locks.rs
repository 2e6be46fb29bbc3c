//! Standard locks, made from pieces: what is usual, what is odd, and what is wrong.

use crate::packaging::comparison::Lcg;

const DIGEST: &str = "hashes = {sha256 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}";

const TOP: [&str; 30] = [
    "requires-python = '>=3.8'",
    "requires-python = '>=3.12'",
    "requires-python = '==3.11.*'",
    "requires-python = '3'",
    "requires-python = 3.8",
    "environments = [\"sys_platform == 'linux'\", \"sys_platform == 'win32'\"]",
    "environments = [\"sys_platform == 'win32'\"]",
    "environments = []",
    "environments = ['nonsense']",
    "environments = [1]",
    "environments = \"sys_platform == 'linux'\"",
    "extras = ['web', 'cli']",
    "extras = ['Web', 'web', 'cli']",
    "extras = []",
    "extras = 'web'",
    "dependency-groups = ['dev']",
    "dependency-groups = [1]",
    "default-groups = ['main']",
    "default-groups = 'main'",
    "dependency-groups = ['dev']\ndefault-groups = ['main', 'dev']\nextras = ['web']",
    "tool.x.y = 1",
    "tool = 1",
    "unknown-key = 1",
    "lock-version = '1.0'",
    "created-by = 1",
    "requires-python = ''",
    "requires-python = '>=3.8,!=3.9.*,<4'",
    "environments = [\"python_version >= '3.12'\", \"platform_machine == 'x86_64'\"]",
    "requires-python = '~=3.8'",
    "= 1",
];

const MARKERS: [&str; 18] = [
    "marker = \"sys_platform == 'linux'\"",
    "marker = \"sys_platform == 'win32'\"",
    "marker = \"python_version < '3.9' and os_name == 'posix'\"",
    "marker = \"'web' in extras\"",
    "marker = \"'web' not in extras or 'cli' in extras\"",
    "marker = \"'dev' in dependency_groups\"",
    "marker = \"'main' in dependency_groups or 'dev' in dependency_groups\"",
    "marker = \"'Web' in extras\"",
    "marker = 'nonsense'",
    "marker = \"os_name = 'posix'\"",
    "marker = ''",
    "marker = 1",
    "requires-python = '>=3.9'",
    "requires-python = '>=3.12'",
    "requires-python = 'x'",
    "dependencies = [{name = 'x'}]",
    "dependencies = ['x']",
    "attestation-identities = [{kind = 'x', y = 1}]",
];

/// `N` is the package's name, `D` the hashes. What one box needs comes first.
const SOURCES: [&str; 44] = [
    "version = '1.0'\nwheels = [{name = 'N-1.0-py3-none-any.whl', url = 'https://u:p@h/x', D}]",
    "version = '1.0'\nwheels = [{url = 'https://u:p@h/N-1.0-py3-none-any.whl?x=/y', D}]",
    "version = '1.0'\nindex = 'https://h/'\nwheels = [{path = './wheels/N-1.0-py3-none-any.whl', D}]",
    "version = '1.0'\nwheels = [{path = 'wheels\\N-1.0-py3-none-any.whl', D, size = 12, upload-time = 2024-01-01T00:00:00Z}]",
    "wheels = [{path = 'N-1.0-py3-none-any.whl', D}]",
    "version = '1.0.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', D}]",
    "version = '1.0'\nsdist = {name = 'N-1.0.tar.gz', url = 'https://h/x', D}",
    "version = '1.0'\nsdist = {path = 'N-1.0.zip', D}\nwheels = []",
    "version = '1.0'\nsdist = {url = 'https://h/N-1.0.tar.gz', D}\nwheels = [{url = 'https://h/N-1.0-py3-none-any.whl', D}, {url = 'https://h/N-1.0-cp311-cp311-win32.whl', D}]",
    "archive = {url = 'https://h/N-1.0-py3-none-any.whl', D}",
    "archive = {path = 'N-1.0.tar.gz', D, size = 1}",
    "version = '2.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', D}]",
    "version = '1.0'\nwheels = [{path = 'other-1.0-py3-none-any.whl', D}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0.tar.gz', D}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none.whl', D}]",
    "version = '1.0'\nwheels = [{name = 'N-1.0-py3-none-any.whl', D}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl'}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', hashes = {}}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', hashes = {sha256 = 1}}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', hashes = {sha512 = 'aa'}}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', hashes = {sha256 = 'aa'}}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', D, size = 'x'}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', D, upload-time = '2024'}]",
    "version = '1.0'\nwheels = [{path = 'N-1.0-py3-none-any.whl', D, upload-time = 2024-01-01}]",
    "version = '1.0'\nwheels = {path = 'N-1.0-py3-none-any.whl', D}",
    "version = '1.0'\nsdist = [{path = 'N-1.0.tar.gz', D}]",
    "version = '1.0'\nsdist = {path = 'N-1.1.tar.gz', D}",
    "version = '1.0'\nsdist = {path = 'N-1.0-py3-none-any.whl', D}",
    "version = 'x'\nsdist = {path = 'N-1.0.tar.gz', D}",
    "version = 1.0\nsdist = {path = 'N-1.0.tar.gz', D}",
    "version = '1.0'\nwheels = []",
    "version = '1.0'",
    "sdist = {path = 'N-1.0.tar.gz', D}\narchive = {path = 'N-1.0.tar.gz', D}",
    "archive = {path = 'N-1.0.tar.gz', D}\ndirectory = {path = 'x'}",
    "archive = {path = 'N-1.0.tar.gz'}",
    "archive = {D}",
    "archive = {path = '../../N-1.0.tar.gz', D}",
    "directory = {path = './app', editable = true}",
    "directory = {path = '.', subdirectory = 'app'}",
    "directory = {path = 'lib'}",
    "directory = {editable = true}",
    "directory = {path = 'app', editable = 1}",
    "vcs = {type = 'git', url = 'https://u:p@h/x.git', commit-id = 'abc', requested-revision = 'main'}",
    "vcs = {type = 'git', commit-id = 'abc'}",
];

const VERSIONS: [&str; 7] = [
    "lock-version = '1.7'\nunknown = 1",
    "lock-version = '1'",
    "lock-version = '2.0'",
    "lock-version = '0.9'",
    "lock-version = 'x'",
    "lock-version = 1.0",
    "",
];

const GROUPS: &str = "extras = ['web', 'cli']\ndependency-groups = ['dev']\ndefault-groups = ['main']";

/// A lock with oddities of one kind, or none.
pub fn lock(taste: &mut Lcg) -> String {
    let odd = taste.below(6);
    let version = if odd == 0 { taste.pick(&VERSIONS) } else { "lock-version = '1.0'" };
    let author = if odd == 0 && taste.one_in(4) { "" } else { "created-by = 'x'" };
    let top = if odd == 1 { taste.pick(&TOP) } else { taste.pick(&["", GROUPS, GROUPS, "requires-python = '>=3.8'"]) };
    let mut text = format!("{version}\n{author}\n{top}\n");
    let packages = taste.below(4);
    if packages == 0 && (odd != 0 || taste.one_in(2)) {
        text.push_str("packages = []\n");
    }
    for index in 0..packages {
        let name = match taste.below(4) {
            0 if odd == 2 => "Not_Normal".to_owned(),
            1 if odd == 2 => "twice".to_owned(),
            _ => format!("name{index}"),
        };
        let source = if odd == 3 { taste.pick(&SOURCES) } else { SOURCES[taste.below(11)] };
        let source = source.replace('N', &name).replace('D', DIGEST);
        let marker = match odd {
            4 => taste.pick(&MARKERS),
            _ => taste.pick(&["", MARKERS[0], MARKERS[1], MARKERS[3], MARKERS[5], MARKERS[6]]),
        };
        text.push_str(&format!("[[packages]]\nname = '{name}'\n{source}\n{marker}\n"));
    }
    text
}
