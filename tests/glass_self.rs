//! The glass terminal itself.
mod glass;
use glass::{Glass, brand};
#[test]
fn starts() {
    let mut g = Glass::new(&brand::KITTY, 20, 5, (10, 20));
    g.feed(b"hello");
    assert_eq!(g.grid().line(0), "hello");
}
