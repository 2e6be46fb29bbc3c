//! What `package.toml` says of other packages of the box, as far as the box's rpm reads it.

use crate::Project;
use wheelhaul_boxes::Target;
use wheelhaul_config::Dependencies;

/// What the RPM for a target says of other packages.
pub(crate) fn of(project: &Project, target: &Target) -> Dependencies {
    let mut all = project.config.dependencies(target);
    if !target.knows_weak_dependencies() {
        all.without_weak_and_rich();
    }
    all
}

/// Says what is left out for boxes whose rpm would not read it.
pub(crate) fn warn(project: &Project) {
    for target in project.targets.iter().filter(|target| !target.knows_weak_dependencies()) {
        for (key, one) in project.config.dependencies(target).without_weak_and_rich() {
            let what = if one.is_rich() { "rich" } else { "weak" };
            project.sys.say(format!(
                "warning: the RPM for `{}` is made without `{one}` of `{key}`: its rpm knows no {what} dependencies",
                target.name
            ));
        }
    }
}
