//! How many files and connections a server of ours may hold open.

/// As many as a room of students with some pages each, or thousands of idle clients, ask for. A function or
/// check that leaks files, and inherits this, still ends at it.
#[cfg(unix)]
const WANTED: u64 = 8_192;

/// Raises the limit on open files to what servers want, as far as the system grants it (`ulimit -Hn`), and
/// lets the kernel make room for them now.
///
/// Call it while there is one thread. Later Linux doubles its table at 64, 256, 512… open files and holds up
/// whoever opens the next one for a grace period of its memory reclamation: some ten milliseconds by
/// which a stream that begins at that moment is late.
#[cfg(unix)]
pub(crate) fn prepare() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let had = getrlimit(Resource::Nofile);
    let granted = had.maximum.map_or(WANTED, |most| most.min(WANTED));
    let mut limit = had.current.unwrap_or(WANTED);
    if limit < granted {
        let raised = Rlimit {
            current: Some(granted),
            maximum: had.maximum,
        };
        // Who may not raise it serves with what there is.
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = granted;
        }
    }
    let (Ok(file), Ok(last)) = (
        std::fs::File::open("/dev/null"),
        i32::try_from(limit.clamp(1, WANTED) - 1),
    ) else {
        return;
    };
    // Taken and given back; the table keeps its size.
    let _ = rustix::io::fcntl_dupfd_cloexec(&file, last);
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn prepare() {}
