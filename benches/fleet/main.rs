//! What watching costs and how soon ends are known, in virtual time; and, by the real clock, what one message costs.
//!
//! `cargo bench --bench fleet`

mod cost;

/// What one message costs, by the real clock.
fn costs() {
    println!("| tasks in flight | \u{b5}s a message | times |");
    println!("| --- | --- | --- |");
    let sizes = [1_000, 10_000, 100_000];
    let found = cost::costs(sizes);
    let mut before = None;
    for (tasks, now) in sizes.into_iter().zip(found) {
        let times = before.map(|before| now / before);
        println!("| {tasks} | {now:.2} | {} |", times.map_or_else(String::new, |times| format!("{times:.2}")));
        before = Some(now);
    }
    println!();
    assert!(found[1] <= 20.0, "{} \u{b5}s a message with 10,000 tasks", found[1]);
    assert!(found[1] < 2.0 * found[0], "ten times the tasks: {:.2} times the time", found[1] / found[0]);
}

fn main() {
    kit::fleet::measure(true);
    println!();
    costs();
}
