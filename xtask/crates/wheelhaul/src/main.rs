//! The program in the wheel: see the library's `lib.rs` for the map.

fn main() -> std::process::ExitCode {
    wheelhaul::main("wheelhaul")
}
