//! The front door: see the library's `lib.rs` for the map.

fn main() -> std::process::ExitCode {
    xtask::commands::main()
}
