//! What a box's own gcc left on it.

use crate::table::Runtimes;
use crate::target::Target;

/// The runtimes of a box.
///
/// `None` for a box that is no release of the table, by the end of its RPMs' releases and its glibc: a box of one's own
/// is one where its rpm says so, as those of the rebuilds do.
pub fn runtimes(target: &Target) -> Option<&'static Runtimes> {
    target.box_row().map(|row| &row.runtimes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::BoxRecord;
    use crate::table::BOXES;
    use crate::target::known_targets;

    #[test]
    fn every_known_box_has_its_runtimes_and_nothing_else_has() {
        for target in known_targets() {
            let row = BOXES.iter().find(|row| target.name.starts_with(&format!("{}-", row.id))).unwrap();
            assert_eq!(runtimes(&target), Some(&row.runtimes), "{}", target.name);
        }
        let like = |change: fn(&mut BoxRecord)| {
            let known = Target::find("el9-x86_64", None, None).unwrap();
            let mut record = known.whole_record();
            change(&mut record);
            runtimes(&Target::own("own", &known.python_full.to_string(), &record).unwrap())
                .map(|found| found.families[2].1)
        };
        assert_eq!(like(|_| ()), Some([11, 5].as_slice()));
        assert_eq!(like(|record| record.glibc = Some("2.36".to_owned())), None);
        assert_eq!(like(|record| record.release = Some("deb12".to_owned())), None);
    }
}
