//! Downloads: what becomes a file, what does not, and what the other end gets to know.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use plantain::api::{DownloadLimits, Fetcher, Timeouts, Wanted};
use plantain::domain::naming::{Facts, Template};
use plantain::domain::{Home, Problem};
use tempfile::TempDir;
use tokio::net::TcpListener;

use kit::raw::{Reply, Server, answer};

fn png(width: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(width, 3).write_to(&mut bytes, image::ImageFormat::Png).expect("encodes");
    bytes.into_inner()
}

fn fetcher(max_bytes: u64) -> Fetcher {
    let wait = Duration::from_secs(20);
    let timeouts = Timeouts { connect: wait, answer: wait, between: wait };
    Fetcher::new(DownloadLimits { max_bytes, allow_loopback: true, timeouts, ..DownloadLimits::default() })
        .expect("a fetcher")
}

fn wanted(url: String, dir: &Path, slug: &str) -> Wanted {
    let facts = Facts { slug: slug.into(), number: 1, ..Facts::default() };
    let (dir, names) = (dir.to_owned(), Template::default());
    Wanted { url, dir, key: "key".into(), names, facts, about: None }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .expect("a list")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

async fn fetch(server: &Server, dir: &Path) -> Result<Home, Problem> {
    fetcher(1 << 20).fetch(&wanted(server.url("/0.bin?sig=secret"), dir, "fox"), None).await
}

/// The problem that a reply makes, after which the folder is empty.
async fn fails(reply: Reply) -> Problem {
    let (server, dir) = (Server::new(vec![reply]).await, folder());
    let problem = fetch(&server, dir.path()).await.expect_err("a problem");
    assert_eq!(names(dir.path()), Vec::<String>::new(), "after {problem:?}");
    assert!(!format!("{problem:?}").contains("secret"), "{problem:?}");
    problem
}

#[tokio::test]
async fn a_picture_comes_home() {
    let bytes = png(5);
    let server = Server::new(vec![Reply::Bytes(answer("200 OK", "content-type: image/jpeg\r\n", &bytes))]).await;
    let dir = folder();
    let below = dir.path().join("made/on demand");
    let (sender, progress) = tokio::sync::watch::channel(0);
    let wanted = wanted(server.url("/x.jpg"), &below, "../fox");
    let home = fetcher(1 << 20).fetch(&wanted, Some(sender)).await.expect("a picture");
    assert_eq!(
        (home.bytes, home.format.as_str(), home.width, home.height),
        (bytes.len() as u64, "png", Some(5), Some(3))
    );
    assert_eq!(home.sha256.len(), 64);
    assert!(Path::new(&home.file).is_absolute());
    assert_eq!(std::fs::read(&home.file).expect("the file"), bytes);
    assert_eq!(names(&below), ["fox.png"]);
    assert_eq!(*progress.borrow(), bytes.len() as u64);
    // I-1, I-4: nothing of ours goes along.
    let asked = server.asked()[0].to_lowercase();
    for header in ["authorization", "cookie", "referer", "idempotency-key", "hiapi"] {
        assert!(!asked.contains(header), "{header} in {asked}");
    }
}

/// C8, C11: nothing is overwritten; the same file is not kept twice.
#[tokio::test]
async fn a_name_that_is_taken() {
    let pictures = [png(5), png(6), png(5), png(6)];
    let replies = pictures.iter().map(|bytes| Reply::Bytes(answer("200 OK", "", bytes))).collect();
    let (server, dir) = (Server::new(replies).await, folder());
    let mut files = Vec::new();
    for _ in 0..4 {
        files.push(fetch(&server, dir.path()).await.expect("a picture").file);
    }
    assert_eq!(names(dir.path()), ["fox-2.png", "fox.png"]);
    assert_eq!((&files[0], &files[1]), (&files[2], &files[3]));
    assert_ne!(files[0], files[1]);
}

/// C3: what is no picture gets no name.
#[tokio::test]
async fn a_web_page_is_not_a_picture() {
    for (body, what) in [
        (&b"<html>expired</html>"[..], "a web page"),
        (b"{\"error\":\"expired\"}", "JSON"),
        (b"", "an empty file"),
        (b"\x7fELF", "unknown"),
    ] {
        let problem = fails(Reply::Bytes(answer("200 OK", "content-type: image/png\r\n", body))).await;
        assert!(matches!(&problem, Problem::Odd { status: 200, message } if message.contains(what)), "{problem:?}");
    }
    let mut broken = png(5);
    broken[12..16].copy_from_slice(b"IDAT");
    let problem = fails(Reply::Bytes(answer("200 OK", "", &broken))).await;
    assert!(matches!(&problem, Problem::Odd { message, .. } if message.contains("damaged")), "{problem:?}");
}

/// C1: a body that ends too early is no file, however it ends.
#[tokio::test]
async fn a_cut_body_is_no_file() {
    let bytes = png(50);
    let whole = answer("200 OK", "", &bytes);
    let mut cuts = vec![Reply::Reset(whole[..whole.len() - 20].to_vec())];
    for cut in [1, 20, bytes.len() - 4] {
        cuts.push(Reply::Bytes(whole[..whole.len() - cut].to_vec()));
    }
    let mut chunked =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", bytes.len()).into_bytes();
    chunked.extend_from_slice(&bytes);
    cuts.push(Reply::Bytes(chunked));
    let mut unframed = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    unframed.extend_from_slice(&bytes[..bytes.len() - 4]);
    cuts.push(Reply::Bytes(unframed.clone()));
    for (n, cut) in cuts.into_iter().enumerate() {
        let problem = fails(cut).await;
        assert!(matches!(problem, Problem::Network { sent: true, .. }), "{n}: {problem:?}");
    }
    // Without a length, but with its end, it is whole.
    unframed.extend_from_slice(&bytes[bytes.len() - 4..]);
    let (server, dir) = (Server::new(vec![Reply::Bytes(unframed)]).await, folder());
    assert_eq!(fetch(&server, dir.path()).await.map(|home| home.bytes), Ok(bytes.len() as u64));
}

/// C4: a limit, whether the length is told or not.
#[tokio::test]
async fn a_file_that_is_too_large() {
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\x89PNG\r\n\x1a\n".to_vec();
    endless.resize(3 << 20, 0);
    let told = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n\x89PNG".to_vec();
    for reply in [endless, told] {
        let problem = fails(Reply::Bytes(reply)).await;
        assert!(matches!(&problem, Problem::Local { message } if message.contains("limit of 1 MiB")), "{problem:?}");
    }
}

/// B15: a link that ran out says so in a way that asks for a fresh one.
#[tokio::test]
async fn statuses_of_links() {
    for (status, expected) in [
        ("403 Forbidden", Problem::Forbidden { message: "the link answers 403".into() }),
        ("404 Not Found", Problem::NotFound { message: "the link answers 404".into() }),
        ("410 Gone", Problem::NotFound { message: "the link answers 410".into() }),
        ("429 Too Many Requests", Problem::Limit { retry_after: Some(4) }),
        ("503 Busy", Problem::Busy { retry_after: Some(4), message: "the link answers 503".into() }),
        ("500 Oh", Problem::Server { status: 500, message: "the link answers 500".into() }),
    ] {
        assert_eq!(fails(Reply::Bytes(answer(status, "retry-after: 4\r\n", b"<html>"))).await, expected);
    }
}

/// A10, A11: hops are followed, five of them, and each is checked.
#[tokio::test]
async fn redirects_are_followed_with_care() {
    let hop = |to: &str| Reply::Bytes(answer("302 Found", &format!("location: {to}\r\n"), b""));
    let server = Server::new(vec![hop("/b"), hop("c"), Reply::Bytes(answer("200 OK", "", &png(5)))]).await;
    let dir = folder();
    assert!(fetch(&server, dir.path()).await.is_ok());
    let paths: Vec<_> = server.asked().iter().filter_map(|r| r.split(' ').nth(1).map(str::to_owned)).collect();
    assert_eq!(paths, ["/0.bin?sig=secret", "/b", "/c"]);

    for to in [
        "http://example.com/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://169.254.169.254/x",
        "http://u:p@127.0.0.1/",
    ] {
        let problem = fails(hop(to)).await;
        assert!(
            matches!(&problem, Problem::Local { message } if message.starts_with("the link was not followed")),
            "{to}: {problem:?}"
        );
    }
    let problem = fails(Reply::Bytes(answer("302 Found", "", b""))).await;
    assert!(matches!(problem, Problem::Odd { status: 302, .. }), "{problem:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = Server::with(listener, (0..6).map(|n| hop(&format!("/{n}"))).collect());
    let problem = fetch(&server, dir.path()).await.expect_err("too many");
    assert!(matches!(&problem, Problem::Odd { message, .. } if message.contains("more than 5 times")), "{problem:?}");
    assert_eq!(server.asked().len(), 6);
}

/// Without the leave to do so, nothing on this machine is touched.
#[tokio::test]
async fn this_machine_is_off_limits() {
    let server = Server::new(vec![Reply::Bytes(answer("200 OK", "", &png(5)))]).await;
    let dir = folder();
    let Ok(fetcher) = Fetcher::new(DownloadLimits::default()) else { return };
    for url in [server.url("/x"), server.url("/x").replace("http:", "https:"), "nonsense".into()] {
        let problem = fetcher.fetch(&wanted(url, dir.path(), "x"), None).await.expect_err("refused");
        assert!(matches!(problem, Problem::Local { .. }), "{problem:?}");
    }
    assert!(server.asked().is_empty());
}

/// C6: a folder that cannot be made.
#[tokio::test]
async fn a_folder_that_is_a_file() {
    let server = Server::new(vec![Reply::Bytes(answer("200 OK", "", &png(5)))]).await;
    let dir = folder();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").expect("a file");
    let problem = fetch(&server, &file.join("below")).await.expect_err("no folder");
    let place = file.display().to_string();
    assert!(matches!(&problem, Problem::Local { message } if message.contains(&place)), "{problem:?}");
}

/// A download that is given up leaves nothing behind.
#[tokio::test]
async fn a_dropped_download_leaves_nothing() {
    let whole = answer("200 OK", "", &png(500));
    let server = Server::new(vec![Reply::Hang(whole[..whole.len() - 10].to_vec())]).await;
    let dir = folder();
    let (sender, mut progress) = tokio::sync::watch::channel(0);
    {
        let wanted = wanted(server.url("/x"), dir.path(), "x");
        let fetcher = fetcher(1 << 20);
        let mut job = std::pin::pin!(fetcher.fetch(&wanted, Some(sender)));
        tokio::select! {
            done = &mut job => panic!("it cannot be done: {done:?}"),
            seen = progress.changed() => seen.expect("progress"),
        }
        assert_eq!(names(dir.path()).len(), 1, "the part");
    }
    assert_eq!(names(dir.path()), Vec::<String>::new());
}
