//! The package where no systemd runs: in a chroot, in the build of an image, in a container.

use anyhow::ensure;

use crate::machine::suites::Suite;
use crate::machine::{self, Machine, Releases, Root, Steps};
use crate::{CONFIG, HOME, NAME, UNIT};

/// Installs, upgrades and removes without a systemd that runs, with another root, and without systemctl.
pub fn takes_the_package(
    steps: &mut Steps<'_>,
    root: &Root,
    releases: &'static Releases,
    suite: &Suite,
) -> anyhow::Result<()> {
    let [first, second] = [1, 2].map(|release| Releases::inside(NAME, suite, release));
    let image = steps.must("image: prepare", || Machine::unbooted(root, releases.share()))?;
    steps.must("image: no systemd runs", || {
        image.script("test ! -e /run/systemd/system; ! systemctl is-system-running 2>/dev/null | grep -q running")
    })?;
    steps.must("image: tell rpm what it has", || machine::provides::install(&image))?;

    steps.check("image: install", || is_silent(&image, &format!("rpm --upgrade {first}")));
    steps.check("image: user and files are there, disabled as RHEL's preset says", || {
        is_there(&image, "")?;
        is_enabled(&image, "", "disabled")
    });
    steps.check("image: root may run its code", || {
        image.script(&format!("cd {HOME} && bin/python -c 'import src.app' && rpm --verify {NAME}")).map(drop)
    });
    steps.check("image: enable, upgrade", || {
        image.script(&format!("systemctl --quiet enable {UNIT}"))?;
        is_silent(&image, &format!("rpm --upgrade {second}"))?;
        is_enabled(&image, "", "enabled")
    });
    steps.check("image: remove", || {
        is_silent(&image, &format!("rpm --erase {NAME}"))?;
        is_away(&image, "")
    });

    steps.check("image: a preset enables it at once", || {
        image.script(&format!(
            "mkdir -p /etc/systemd/system-preset; echo enable {UNIT} > /etc/systemd/system-preset/10-site.preset"
        ))?;
        is_silent(&image, &format!("rpm --upgrade {first}"))?;
        is_enabled(&image, "", "enabled")?;
        is_silent(&image, &format!("rpm --erase {NAME}"))?;
        is_away(&image, "")
    });

    // Another root, with the rpm of this one: `rpm --root`, as image builders do.
    steps.must("another root: prepare", || {
        image.script(
            "mkdir /srv/over /srv/image; mount -t tmpfs over /srv/over; mkdir /srv/over/upper /srv/over/work
             mount -t overlay -o lowerdir=/,upperdir=/srv/over/upper,workdir=/srv/over/work over /srv/image
             mkdir -p /srv/image/mnt; mount --bind /dev /srv/image/dev",
        )
    })?;
    steps.check("another root: install", || {
        is_silent(&image, &format!("rpm --root /srv/image --upgrade {first}"))?;
        is_there(&image, "/srv/image")?;
        is_enabled(&image, "/srv/image", "enabled")?;
        is_away(&image, "")
    });
    steps.check("another root: upgrade and remove", || {
        is_silent(&image, &format!("rpm --root /srv/image --upgrade {second}"))?;
        is_silent(&image, &format!("rpm --root /srv/image --erase {NAME}"))?;
        is_away(&image, "/srv/image")
    });

    steps.check("without systemctl: install, upgrade, remove", || {
        image.script("rm /usr/bin/systemctl")?;
        is_silent(&image, &format!("rpm --upgrade --nodeps {first}"))?;
        is_there(&image, "")?;
        is_silent(&image, &format!("rpm --upgrade --nodeps {second}"))?;
        is_silent(&image, &format!("rpm --erase --nodeps {NAME}"))?;
        is_away(&image, "")
    });
    Ok(())
}

/// A command that succeeds and whose scriptlets say nothing.
fn is_silent(image: &Machine, command: &str) -> anyhow::Result<()> {
    let finished = image.run(&["bash", "-c", command])?;
    ensure!(finished.succeeded() && finished.stdout.is_empty(), "{finished}");
    // Debian's rpm starts with two lines of advice, which begin with its name; rpm 4.20 says of `--root` what it
    // does not do there
    let is_of_rpm =
        |line: &str| line.starts_with("rpm: ") || line == "warning: private mounts in chroot not implemented";
    let said: Vec<_> = finished.stderr.lines().filter(|line| !is_of_rpm(line)).collect();
    ensure!(said.is_empty(), "`{command}` said:\n{}", said.join("\n"));
    Ok(())
}

fn is_there(image: &Machine, root: &str) -> anyhow::Result<()> {
    image.script(&format!("grep -q ^{NAME}: {root}/etc/passwd; grep -q ^{NAME}: {root}/etc/group"))?;
    let group = image.script(&format!("grep ^{NAME}: {root}/etc/group | cut -d: -f3"))?;
    let facts = image.text(&["stat", "--format=%a %u:%g", &format!("{root}{CONFIG}")])?;
    ensure!(facts == format!("640 0:{group}"), "{CONFIG} is `{facts}`, the group {group}");
    Ok(())
}

/// Nothing but state and user is left below `root`.
fn is_away(image: &Machine, root: &str) -> anyhow::Result<()> {
    let left = image.script(&format!(
        "for path in {root}{HOME} {root}/usr/lib/systemd/system/{UNIT} {root}/usr/share/doc/{NAME}; do
             [ ! -e $path ] || echo $path
         done
         find {root}/etc/systemd/system -name '{NAME}*'"
    ))?;
    ensure!(left.is_empty(), "left behind:\n{left}");
    Ok(())
}

fn is_enabled(image: &Machine, root: &str, expected: &str) -> anyhow::Result<()> {
    let root = if root.is_empty() { "/" } else { root };
    let found = image.run(&["systemctl", "--root", root, "is-enabled", UNIT])?.stdout;
    ensure!(found.trim() == expected, "it is `{}`, not `{expected}`", found.trim());
    Ok(())
}
