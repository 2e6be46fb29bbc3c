//! A control group of a machine's own: systemd inside manages processes by it.
//!
//! Without it two machines would share nspawn's group `payload`, and stopping a service on one
//! would end the same service on the other.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fs_err as fs;

use wheelhaul_base::problem::Problem;

/// A group cannot go before the last process in it has been reaped.
const REMOVE_LIMIT: Duration = Duration::from_secs(5);

/// One group in each hierarchy that systemd uses. Dropped after the machine, it is removed.
#[derive(Debug)]
pub(crate) struct ControlGroup {
    dirs: Vec<PathBuf>,
}

impl ControlGroup {
    /// Makes the groups below this process's own, with the same name in each hierarchy: nspawn
    /// copies the name that it finds in one to the others.
    ///
    /// - Takes: `name`, which nobody else's group has.
    pub(crate) fn create(name: &str) -> anyhow::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let parents = own_groups(&own, &mounts);
        let first = parents.first().ok_or_else(|| {
            Problem::with_hint("no control groups are mounted", "mount a cgroup2 file system on /sys/fs/cgroup")
        })?;
        fs::create_dir(first.join(name)).map_err(|error| {
            Problem::around(
                error.into(),
                "failed to make a control group",
                "in a container, run it privileged, with /sys/fs/cgroup writable",
            )
        })?;
        let mut group = Self { dirs: vec![first.join(name)] };
        for parent in &parents[1..] {
            let dir = parent.join(name);
            fs::create_dir(&dir).context("failed to make a control group")?;
            group.dirs.push(dir);
        }
        Ok(group)
    }

    /// The groups, as folders.
    pub(crate) fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let started = Instant::now();
        for dir in &self.dirs {
            while remove(dir).is_err() && started.elapsed() < REMOVE_LIMIT {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Where this process's groups are: of `cgroup2`, and of version 1's hierarchy `name=systemd`.
///
/// - Takes: /proc/self/cgroup and /proc/self/mountinfo.
/// - Source: cgroups(7), "/proc files"; proc(5), "/proc/pid/mountinfo".
fn own_groups(own: &str, mounts: &str) -> Vec<PathBuf> {
    let mut groups = Vec::new();
    for mount in mounts.lines() {
        let Some((place, kind)) = mount.split_once(" - ") else {
            continue;
        };
        let place: Vec<_> = place.split(' ').collect();
        let kind: Vec<_> = kind.split(' ').collect();
        let ([_, _, _, root, point, ..], [kind, _, options, ..]) = (&place[..], &kind[..]) else {
            continue;
        };
        let hierarchy = match *kind {
            "cgroup2" => "",
            "cgroup" if options.split(',').any(|option| option == "name=systemd") => "name=systemd",
            _ => continue,
        };
        let path = own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (name, path) = rest.split_once(':')?;
            (name == hierarchy).then_some(path)
        });
        let below = path.and_then(|path| Path::new(path).strip_prefix(root).ok());
        groups.extend(below.map(|below| Path::new(point).join(below)));
    }
    groups
}

/// Removes a group and those below it, deepest first; fails while a process is in one.
pub(crate) fn remove(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_groups_are_found_under_their_mounts() {
        #[rustfmt::skip]
        let cases: [(&str, &str, &str, &[&str]); 4] = [
            ("unified",
             "0::/system.slice/job.scope",
             "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate",
             &["/sys/fs/cgroup/system.slice/job.scope"]),
            ("hybrid, other controllers left alone",
             "4:memory:/other\n1:name=systemd:/a\n0::/a",
             "35 31 0:32 / /c/memory rw shared:9 - cgroup cgroup rw,memory\n\
              40 31 0:37 / /c/systemd rw - cgroup cgroup rw,name=systemd\n\
              41 31 0:38 / /c/unified rw - cgroup2 cgroup2 rw",
             &["/c/systemd/a", "/c/unified/a"]),
            ("only a part is mounted, as in a container",
             "0::/box/me",
             "30 23 0:26 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
             &["/sys/fs/cgroup/me"]),
            ("nothing mounted",
             "0::/",
             "23 1 0:1 / / rw - ext4 /dev/vda rw",
             &[]),
        ];
        for (name, own, mounts, expected) in cases {
            let expected: Vec<_> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(own_groups(own, mounts), expected, "{name}");
        }
    }
}
