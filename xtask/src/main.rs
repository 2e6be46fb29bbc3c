//! `cargo xtask` in the repository of wheelhaul itself: its own tasks, and beside them all that its users have.

fn main() -> std::process::ExitCode {
    wheelhaul_dev::main()
}
