//! The program that the tests start: what `cargo xtask` does in a repository that uses wheelhaul.

fn main() -> std::process::ExitCode {
    wheelhaul::main("cargo xtask")
}
