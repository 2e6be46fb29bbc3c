//! What is said of a Python whose vendor's support ends soon, or has ended: by the clock of this host. What is written
//! into files goes by the commit's time ([`wheelhaul_package::pages`]).

use crate::Project;
use std::time::{SystemTime, UNIX_EPOCH};
use wheelhaul_base::calendar::{Day, Month};
use wheelhaul_boxes::Target;

/// A sentence for each of the targets of which there is something to say.
pub(crate) fn notices<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Vec<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let now = Month::of(Day::at(u32::try_from(now).unwrap_or(u32::MAX)));
    let notice = |target: &'a Target| Some(format!("target `{}`: {}", target.name, target.end_of_support(now)?));
    targets.into_iter().filter_map(notice).collect()
}

/// Says them.
pub(crate) fn warn(project: &Project) {
    for notice in notices(&project.targets) {
        project.sys.say(format!("warning: {notice}"));
    }
}
