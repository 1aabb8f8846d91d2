//! The guard as a program of its own, for this crate's tests; the `workshop` command is its own guard.

fn main() {
    let mut args = std::env::args_os().skip(1);
    if args
        .next()
        .is_some_and(|arg| arg == workshop_runner::guard::ARG)
    {
        workshop_runner::guard::main(args);
    }
    eprintln!("this program is for the workshop's own tests");
    std::process::exit(workshop_runner::guard::CANNOT_START);
}
