//! Work on foreign bytes whose panic is a message, not the end of the program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The name of threads that do nothing else.
const DECODERS: &str = "decode";

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does it. `None` if it panicked; whoever reports panics can ask [`is_guarded`] and be silent.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work)).ok();
    GUARDED.set(before);
    done
}

/// A panic of this thread now would be caught and told in another way.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get() || std::thread::current().name() == Some(DECODERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_none_and_the_guard_ends_with_it() {
        assert_eq!(guarded(is_guarded), Some(true));
        assert_eq!(guarded(|| std::panic::resume_unwind(Box::new("no"))), None::<()>);
        assert!(!is_guarded());
        assert_eq!(guarded(|| guarded(|| 1).map(|_| is_guarded())), Some(Some(true)), "one within another");
    }
}
