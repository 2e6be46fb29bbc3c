//! ELF files made to order, and what the checks say of them.

#[path = "forge/elf.rs"]
mod forge;

use forge::Elf;

#[test]
fn what_is_forged_is_read_by_readelf() {
    let folder = tempfile::tempdir().unwrap();
    let mut elf = Elf::library().asking("libstdc++.so.6", "GLIBCXX_3.4.29").asking("libc.so.6", "GLIBC_2.34");
    elf.interpreter = Some("/lib64/ld-linux-x86-64.so.2".to_owned());
    elf.runpath = Some("$ORIGIN/../x.libs:".to_owned());
    elf.soname = Some("libown.so.1".to_owned());
    elf.isa_needed = Some(7);
    elf.textrel = true;
    for is_64 in [true, false] {
        elf.is_64 = is_64;
        let path = folder.path().join("x.so");
        std::fs::write(&path, elf.write()).unwrap();
        let said = std::process::Command::new("readelf").args(["-aW"]).arg(&path).output().unwrap();
        println!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    }
}
