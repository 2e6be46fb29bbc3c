//! What goes, and what stays.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn only_what_the_tool_made_goes_and_no_link_is_followed() {
    let keep = tempfile::tempdir().unwrap();
    let root = &Utf8Path::from_path(keep.path()).unwrap().canonicalize_utf8().unwrap();
    let outside = root.join("outside");
    let place = root.join("place");
    let name = "0a".repeat(32);
    #[rustfmt::skip]
    let files = [ // path, whether it goes, whether it goes with the tools
        (format!("kept/pieces/{name}"),          true,  true),
        (format!("kept/compiled/{name}.json"),   true,  true),
        (format!("kept/byte-code/{name}.zip"),   true,  true),
        ("kept/pieces/odd/file".to_owned(),      false, false),
        (format!("kept/pieces/odd/{name}"),      false, false),
        ("kept/pieces/.xtask-new".to_owned(),    false, false),
        ("kept/pieces/tmp-thesis/1".to_owned(),  false, false),
        ("kept/pip/http/a".to_owned(),      true,  true),
        (format!("kept/interpreters/{name}.json"), true, true),
        ("scratch/work-a/file".to_owned(),  true,  true),
        ("scratch/work-a.lock".to_owned(),  true,  true),
        ("scratch/work-b/file".to_owned(),  false, false),
        ("scratch/work-b.lock".to_owned(),  false, false),
        ("scratch/tmp-thesis/1".to_owned(), false, false),
        ("tmp-thesis/1".to_owned(),         false, false),
        ("pythonic".to_owned(),             false, false),
        ("python-mine.json".to_owned(),     false, false),
        ("app-wheel.json".to_owned(),       false, false),
        ("tools-x/pyvenv.cfg".to_owned(),   false, true),
        ("tools-mine/file".to_owned(),      false, false),
        ("mine/file".to_owned(),            false, false),
    ];
    let fill = || {
        for (path, ..) in &files {
            fs::create_dir_all(place.join(path).parent().unwrap()).unwrap();
            fs::write(place.join(path), "12345").unwrap();
        }
        fs::create_dir_all(outside.join("deep")).unwrap();
        fs::write(outside.join("deep/pyvenv.cfg"), "x").unwrap();
        fs::write(outside.join(&name), "x").unwrap();
        for link in [format!("kept/pieces/{}", "0b".repeat(32)), "kept/parsed".to_owned(), "kept/made".to_owned()] {
            let _ = fs::remove_file(place.join(&link));
            symlink(&outside, place.join(&link)).unwrap();
        }
        let _ = fs::remove_file(place.join("tools-link"));
        symlink(outside.join("deep"), place.join("tools-link")).unwrap();
    };
    for with_tools in [false, true] {
        fill();
        let held = fs::File::open(place.join("scratch/work-b.lock")).unwrap();
        held.try_lock().unwrap();
        let mut sums = Vec::new();
        for is_dry in [true, false] {
            let mut broom = Broom { is_dry, removed: Vec::new(), left: Vec::new(), faults: Vec::new() };
            sweep(&mut broom, &place, with_tools);
            assert!(broom.faults.is_empty(), "{:?}", broom.faults);
            assert_eq!(broom.left.len(), 2, "the folders that links lead to: {:?}", broom.left);
            let report = broom.report(Some(root));
            sums.push((report.files, report.bytes, report.removed));
            for (path, always, by_tools) in &files {
                let goes = !is_dry && (*always || (with_tools && *by_tools));
                assert_eq!(place.join(path).exists(), !goes, "{path}, {with_tools}, {is_dry}");
            }
            assert!(outside.join("deep/pyvenv.cfg").exists() && outside.join(&name).exists());
            assert!(
                place.join("kept/pieces").is_dir()
                    && is_link(&place.join("kept/parsed"))
                    && is_link(&place.join("tools-link"))
            );
        }
        assert_eq!(sums[0], sums[1], "what is said beforehand is what goes");
        assert_eq!(sums[0].0, if with_tools { 8 } else { 7 });
    }
    // Nobody holds it any more.
    let mut broom = Broom { is_dry: false, removed: Vec::new(), left: Vec::new(), faults: Vec::new() };
    sweep(&mut broom, &place, true);
    assert!(broom.removed.len() == 1 && !place.join("scratch/work-b").exists());
    let mut broom = Broom { is_dry: false, removed: Vec::new(), left: Vec::new(), faults: Vec::new() };
    sweep(&mut broom, &place, true);
    sweep(&mut broom, &root.join("none"), true);
    assert!(broom.removed.is_empty() && broom.faults.is_empty());
    assert!(broom.report(None).sum() == "there is nothing to remove");
}

#[test]
fn outputs_go_by_their_names() {
    let keep = tempfile::tempdir().unwrap();
    let root = &Utf8Path::from_path(keep.path()).unwrap().canonicalize_utf8().unwrap();
    #[rustfmt::skip]
    let files = [
        ("dist/wheels/a-1-py3-none-any.whl",  true),
        ("dist/wheels/notes.txt",             false),
        ("dist/wheels/tmp-thesis/a.whl",      false),
        ("dist/out/a-1.rpm",                  true),
        ("dist/out/a-dist-1.tar.gz",          true),
        ("dist/out/review.html",              false),
        ("dist/out/tmp-thesis/a.rpm",         false),
        ("dist/rpmbuild/SPECS/a.spec",        true),
        ("dist/rpmbuild/SOURCES/fix.patch",   false),
        ("dist/rpmbuild/BUILD/a/x.py",        true),
        ("dist/rpmbuild/RPMS/noarch/a.rpm",   true),
        ("dist/package.toml",                 false),
    ];
    for (path, _) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), "x").unwrap();
    }
    let options = Options { dry_run: false, pieces: false, wheels: true, out: true, tools: false };
    let run = |is_dry| {
        let mut broom = Broom { is_dry, removed: Vec::new(), left: Vec::new(), faults: Vec::new() };
        outputs(&mut broom, root, &options);
        assert!(broom.faults.is_empty(), "{:?}", broom.faults);
        broom.report(Some(root))
    };
    let dry = run(true);
    assert!(files.iter().all(|(path, _)| root.join(path).exists()));
    let done = run(false);
    assert_eq!((dry.files, &dry.removed), (done.files, &done.removed));
    for (path, goes) in files {
        assert_eq!(root.join(path).exists(), !goes, "{path}");
    }
    // What a link leads to is not this repository's.
    fs::write(root.join("dist/wheels/a-1-py3-none-any.whl"), "x").unwrap();
    fs::rename(root.join("dist"), root.join("moved")).unwrap();
    symlink(root.join("moved"), root.join("dist")).unwrap();
    let done = run(false);
    assert!(root.join("moved/wheels/a-1-py3-none-any.whl").exists() && !done.left_alone.is_empty(), "{done:?}");
}

#[test]
fn a_folder_that_cannot_be_read_is_told_of_and_the_rest_goes() {
    let keep = tempfile::tempdir().unwrap();
    let place = &Utf8Path::from_path(keep.path()).unwrap().canonicalize_utf8().unwrap();
    fs::create_dir_all(place.join("kept/compiled")).unwrap();
    let [a, b] = ["0a", "0b"].map(|two| place.join("kept/compiled").join(format!("{}.json", two.repeat(32))));
    fs::write(&a, "{}").unwrap();
    let mut broom = Broom { is_dry: false, removed: Vec::new(), left: Vec::new(), faults: Vec::new() };
    broom.seen::<()>(place, Err(io::Error::from(ErrorKind::PermissionDenied)));
    sweep(&mut broom, place, false);
    assert_eq!((broom.faults.len(), broom.removed.len()), (1, 1));
    assert!(format!("{:#}", broom.faults[0]).contains(place.as_str()));
    // Of one whose name cannot be told the others know nothing.
    let odd: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(b"a\xff".to_vec());
    fs::write(place.as_std_path().join("kept/compiled").join(odd), "x").unwrap();
    fs::write(&b, "{}").unwrap();
    sweep(&mut broom, place, false);
    assert_eq!((broom.faults.len(), broom.removed.len()), (2, 2));
    assert!(!a.exists() && !b.exists());
}
