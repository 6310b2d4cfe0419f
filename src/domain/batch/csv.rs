//! Comma-separated values as spreadsheets write them (RFC 4180): quoted cells may hold commas, line ends and `""`.

/// A record: the line it begins in, from 1, and its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub line: usize,
    pub cells: Vec<String>,
}

/// A quotation mark where none may be, or one that is never closed; with the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadCsv {
    Open(usize),
    Stray(usize),
}

/// Reads all records; lines without anything are passed over.
pub(super) fn records(text: &str) -> Result<Vec<Record>, BadCsv> {
    let mut records = Vec::new();
    let mut chars = text.chars().peekable();
    let (mut line, mut begun) = (1, 1);
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if cell.is_empty() && !quoted => {
                quoted = true;
                let open = line;
                loop {
                    match chars.next() {
                        None => return Err(BadCsv::Open(open)),
                        Some('"') if chars.peek() == Some(&'"') => {
                            chars.next();
                            cell.push('"');
                        }
                        Some('"') => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            cell.push(c);
                        }
                    }
                }
            }
            ',' => {
                cells.push(std::mem::take(&mut cell));
                quoted = false;
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                line += 1;
                finish(&mut records, begun, &mut cells, &mut cell, std::mem::take(&mut quoted));
                begun = line;
            }
            _ if quoted => return Err(BadCsv::Stray(line)),
            c => cell.push(c),
        }
    }
    finish(&mut records, begun, &mut cells, &mut cell, quoted);
    Ok(records)
}

fn finish(records: &mut Vec<Record>, line: usize, cells: &mut Vec<String>, cell: &mut String, quoted: bool) {
    if cells.is_empty() && cell.trim().is_empty() && !quoted {
        cell.clear();
        return;
    }
    cells.push(std::mem::take(cell));
    records.push(Record { line, cells: std::mem::take(cells) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_write_is_read() {
        let read = |text: &str| {
            records(text).map(|all| all.into_iter().map(|r| (r.line, r.cells.join("/"))).collect::<Vec<_>>())
        };
        assert_eq!(
            read("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\n,\n"),
            Ok(vec![(1, "a/b".into()), (2, "1/x, \"y\"\nz".into()), (5, "/".into()),])
        );
        assert_eq!(read("a\n\"b"), Err(BadCsv::Open(2)));
        assert_eq!(read("a\n\"b\"c"), Err(BadCsv::Stray(2)));
        assert_eq!(read("a\"b,\"\""), Ok(vec![(1, "a\"b/".into())]));
        assert_eq!(read(""), Ok(vec![]));
    }
}
