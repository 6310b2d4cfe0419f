//! Named places between which a test can kill the program, to prove that nothing is lost and nothing is paid
//! twice. In a release build this is nothing at all.

/// Passes a place. In a debug build the environment may say that the program dies here:
/// `PLANTAIN_KILL_AT=n` kills it at the n-th place it passes, counted from 1.
#[inline]
pub fn step(name: &'static str) {
    #[cfg(debug_assertions)]
    rehearsal::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod rehearsal {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static FATAL: OnceLock<Option<u64>> = OnceLock::new();

    pub(super) fn pass(name: &'static str) {
        let fatal = FATAL.get_or_init(|| std::env::var("PLANTAIN_KILL_AT").ok()?.parse().ok());
        let Some(fatal) = *fatal else { return };
        if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == fatal {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "killed at {fatal}: {name}");
            // SAFETY: raise has no preconditions; SIGKILL ends the process here, with nothing flushed or closed.
            unsafe {
                libc::raise(libc::SIGKILL);
            }
        }
    }
}
