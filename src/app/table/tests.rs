//! The cursor sticks to its task, and lines to their groups.

use super::*;
use crate::domain::Request;
use crate::domain::batch::Mark;
use std::sync::Arc;

fn task(n: u128) -> Task {
    let request = Request::new("m", None, serde_json::Map::new(), String::new(), String::new(), None);
    Task::new(LocalId::from_random(n << 64), Arc::new(request), Wall(i64::try_from(n).unwrap_or(0)))
}

fn marked(n: u128, batch: &str) -> Task {
    let mark = Mark { batch: batch.into(), row: n.to_string(), seed: None };
    Task { mark: Some(Arc::new(mark)), ..task(n) }
}

fn lines(table: &mut Table) -> String {
    table.scroll(100);
    let (lines, cursor) = table.window(100);
    let word = |line: &Line| match line {
        Line::Group(name) => name.to_uppercase(),
        Line::Task(id) => table.places[id].0.0.to_string(),
    };
    let mark = |(at, line)| if cursor == Some(at) { format!("[{}]", word(line)) } else { word(line) };
    lines.iter().enumerate().map(mark).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_cursor_sticks_to_the_task() {
    let tasks: Vec<Task> = (1..=5).map(task).collect();
    let mut table = Table::default();
    table.add(tasks[..3].iter());
    table.step(1);
    let chosen = table.cursor();
    assert_eq!((chosen, table.index()), (Some(tasks[1].id), Some(1)));
    table.add(tasks[3..].iter());
    table.scroll(10);
    assert_eq!((table.cursor(), table.index()), (chosen, Some(3)));
}

#[test]
fn the_window_follows_the_cursor_and_no_more() {
    let tasks: Vec<Task> = (1..=50).map(task).collect();
    let mut table = Table::default();
    table.add(tasks.iter());
    for height in [1, 3, 10, 100] {
        table.jump(true);
        table.scroll(height);
        assert!(table.window(height).1.is_some(), "{height}");
        table.jump(false);
        table.scroll(height);
        assert_eq!(table.top(), 0);
    }
    table.step(4);
    table.scroll(10);
    assert_eq!(table.top(), 0, "no scrolling while the cursor is inside");
    table.scroll(0);
}

#[test]
fn removing_the_chosen_task_chooses_its_neighbour() {
    let tasks: Vec<Task> = (1..=3).map(task).collect();
    let mut table = Table::default();
    table.add(tasks.iter());
    table.jump(true);
    table.remove(tasks[0].id);
    assert_eq!(table.cursor(), Some(tasks[1].id));
    table.remove(tasks[1].id);
    table.remove(tasks[2].id);
    assert_eq!(table.cursor(), None);
}

#[test]
fn a_group_stands_at_the_place_of_its_newest_task() {
    let mut table = Table::default();
    table.add([task(1), marked(2, "a"), task(3), marked(4, "b"), marked(5, "a"), task(6)].iter());
    assert_eq!(lines(&mut table), "[6] A 5 2 4 3 1", "a batch of one stands for itself");
    table.add([marked(7, "b")].iter());
    assert_eq!(lines(&mut table), "B 7 4 [6] A 5 2 3 1");
    table.choose(marked(2, "a").id);
    table.change("a", |group| group.set_fold(true));
    assert_eq!(lines(&mut table), "B 7 4 6 [A] 3 1", "the cursor goes to the row of the group");
    table.add([marked(8, "a")].iter());
    assert_eq!(lines(&mut table), "[A] B 7 4 6 3 1", "new ones do not unfold it");
    table.choose(marked(8, "a").id);
    assert_eq!(table.group_at().map(|name| &**name), Some("a"));
    table.fold_all(false);
    table.step(1);
    assert_eq!(lines(&mut table), "A [8] 5 2 B 7 4 6 3 1");
    for n in [8, 5] {
        table.remove(marked(n, "a").id);
    }
    assert_eq!(lines(&mut table), "B 7 4 6 3 [2] 1", "the last one stands for itself again");
}

#[test]
fn neighbours_are_found_in_folded_groups_too() {
    let mut table = Table::default();
    let all: Vec<Task> = (1..=30).map(|n| if n % 3 == 0 { marked(n, "a") } else { task(n) }).collect();
    table.add(all.iter());
    table.change("a", |group| group.set_fold(true));
    let mut at = marked(30, "a").id;
    let mut seen = vec![at];
    while let Some(next) = table.neighbour(at, 1) {
        assert_eq!(table.neighbour(next, -1), Some(at));
        seen.push(next);
        at = next;
    }
    assert_eq!(seen.len(), 30);
    assert_eq!(seen[..10], (1..=10).rev().map(|n| marked(3 * n, "a").id).collect::<Vec<_>>());
}

#[test]
fn the_row_of_every_line_is_found() {
    let mut table = Table::default();
    let batch = |n: u128| ["a", "b", "c", "d"][usize::try_from(n * n % 7 % 4).unwrap_or(0)];
    let all: Vec<Task> = (1..=200).map(|n| if n % 3 == 0 { task(n) } else { marked(n, batch(n)) }).collect();
    table.add(all.iter());
    table.change("b", |group| group.set_fold(false));
    table.jump(false);
    for row in 0..table.rows() {
        assert_eq!(table.index(), Some(row));
        table.step(1);
    }
}

#[test]
fn a_group_grows_large_under_the_cursor() {
    let mut table = Table::default();
    table.add((1..=10).map(|n| marked(n, "a")).collect::<Vec<_>>().iter());
    table.step(3);
    assert!(table.cursor().is_some());
    table.add([marked(11, "a")].iter());
    assert_eq!(lines(&mut table), "[A]");
}
