//! Downloads that do not come in one piece: what is kept, what is asked for, and that no two files are ever mixed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use plantain::api::{DownloadLimits, Fetcher, Pace, Timeouts, Wanted};
use plantain::domain::naming::{Facts, Template};
use plantain::domain::{Home, Problem};
use serde_json::json;
use tempfile::TempDir;

use kit::raw::{Reply, Server, answer};

const TAG: &str = "etag: \"one\"\r\n";
const KIB4: usize = 4096;

/// A picture that does not shrink: `length` bytes, all different for every seed.
fn picture(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x05\0\0\0\x03".to_vec();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.push(state as u8);
    }
    bytes
}

fn limits() -> DownloadLimits {
    let wait = Duration::from_secs(20);
    let timeouts = Timeouts { connect: wait, answer: wait, between: wait };
    DownloadLimits { max_bytes: 1 << 20, allow_loopback: true, timeouts, ..DownloadLimits::default() }
}

struct Place {
    dir: TempDir,
    template: &'static str,
    limits: DownloadLimits,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder"), template: "{id}", limits: limits() }
    }

    fn wanted(&self, url: String) -> Wanted {
        let facts = Facts { id: "fox".into(), model: "FLUX".into(), number: 1, ..Facts::default() };
        let names = Template::parse(self.template).expect("a template");
        let about = json!({ "id": "fox", "output": 1 }).as_object().cloned();
        Wanted { url, dir: self.dir.path().to_owned(), key: "fox-0".into(), names, facts, about }
    }

    async fn fetch(&self, url: String) -> Result<Home, Problem> {
        Fetcher::new(self.limits).expect("a fetcher").fetch(&self.wanted(url), None).await
    }

    async fn from(&self, server: &Server) -> Result<Home, Problem> {
        self.fetch(server.url("/0.png?sig=secret")).await
    }

    fn names(&self) -> Vec<String> {
        names(self.dir.path())
    }

    /// The parts and what tells about them.
    fn parts(&self) -> usize {
        self.names().iter().filter(|name| name.starts_with(".plantain-part-")).count()
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a list");
    let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The beginning of a whole answer: `bytes` of its body, then the end of the line.
fn begun(body: &[u8], headers: &str, bytes: usize) -> Reply {
    let whole = answer("200 OK", headers, body);
    Reply::Bytes(whole[..whole.len() - body.len() + bytes].to_vec())
}

fn whole(body: &[u8]) -> Reply {
    Reply::Bytes(answer("200 OK", TAG, body))
}

/// A part of a file, told as `range`.
fn rest(body: &[u8], from: usize, range: &str, headers: &str) -> Reply {
    let headers = format!("content-range: {range}\r\n{headers}");
    Reply::Bytes(answer("206 Partial Content", &headers, &body[from..]))
}

fn range(body: &[u8], from: usize) -> String {
    format!("bytes {from}-{}/{}", body.len() - 1, body.len())
}

/// What was asked for in each request: the range, if there was one.
fn ranges(server: &Server) -> Vec<Option<String>> {
    let line = |request: &String, name: &str| {
        let mut lines = request.lines().map(str::to_lowercase);
        lines.find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()))
    };
    let asked = server.asked();
    for request in &asked {
        assert_eq!(line(request, "range:").is_some(), line(request, "if-range:").is_some(), "{request}");
        for header in ["authorization:", "cookie:", "referer:"] {
            assert_eq!(line(request, header), None, "{request}");
        }
    }
    asked.iter().map(|request| line(request, "range:")).collect()
}

fn content(home: &Home) -> Vec<u8> {
    std::fs::read(&home.file).expect("the file")
}

/// C1: a download that is cut goes on where it stopped, wherever that was.
#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let body = picture(40_000, 1);
    for cut in (KIB4..body.len()).step_by(KIB4).chain([64, body.len() - 1]) {
        let place = Place::new();
        let replies = vec![begun(&body, TAG, cut), rest(&body, cut, &range(&body, cut), TAG)];
        let server = Server::new(replies).await;
        let problem = place.from(&server).await.expect_err("cut");
        assert!(matches!(&problem, Problem::Network { sent: true, message } if message.contains("cut off")), "{cut}");
        assert_eq!(place.parts(), 2, "{cut}: {:?}", place.names());
        let home = place.from(&server).await.expect("the rest");
        assert_eq!((content(&home), home.bytes), (body.clone(), body.len() as u64), "{cut}");
        assert_eq!(ranges(&server), [None, Some(format!("bytes={cut}-"))]);
        assert_eq!(place.names(), ["fox.png", "fox.png.json"]);
    }
}

#[tokio::test]
async fn a_download_in_many_pieces_is_one_file() {
    let body = picture(40_000, 2);
    let cuts: Vec<usize> = (0..body.len()).step_by(KIB4).collect();
    let mut replies = vec![begun(&body, TAG, KIB4)];
    for from in &cuts[1..] {
        let Reply::Bytes(bytes) = rest(&body, *from, &range(&body, *from), TAG) else { unreachable!() };
        let missing = (body.len() - from).saturating_sub(KIB4);
        replies.push(Reply::Bytes(bytes[..bytes.len() - missing].to_vec()));
    }
    let (server, place) = (Server::new(replies).await, Place::new());
    for _ in 1..cuts.len() {
        assert!(matches!(place.from(&server).await, Err(Problem::Network { .. })));
    }
    let home = place.from(&server).await.expect("the last piece");
    assert_eq!(content(&home), body);
    let asked: Vec<_> = cuts.iter().map(|from| (*from > 0).then(|| format!("bytes={from}-"))).collect();
    assert_eq!(ranges(&server), asked);
}

/// C1: without a validator nobody can say that the rest belongs to the part: start again.
#[tokio::test]
async fn without_a_validator_it_starts_again() {
    let body = picture(20_000, 3);
    for headers in ["", "etag: W/\"one\"\r\n", "last-modified: Mon, 27 Apr 2026 09:27:13 GMT\r\n"] {
        let place = Place::new();
        let server = Server::new(vec![begun(&body, headers, KIB4), whole(&body)]).await;
        assert!(place.from(&server).await.is_err());
        assert_eq!(place.names(), Vec::<String>::new(), "{headers}");
        assert_eq!(place.from(&server).await.map(|home| content(&home)), Ok(body.clone()));
        assert_eq!(ranges(&server), [None, None]);
    }
}

/// C2: whatever is not exactly the rest of the same file is never put behind the part.
#[tokio::test]
async fn what_is_not_the_rest_is_not_appended() {
    let (old, new) = (picture(20_000, 4), picture(30_000, 5));
    let at = 2 * KIB4;
    let other = "etag: \"two\"\r\n";
    let changed = || Reply::Bytes(answer("200 OK", other, &new));
    let gone = || Reply::Bytes(answer("416 Range Not Satisfiable", "content-range: bytes */5\r\n", b""));
    let cases: Vec<(&str, Vec<Reply>)> = vec![
        ("the range is ignored", vec![changed()]),
        ("a wrong start", vec![rest(&new, 0, &range(&new, 0), TAG), changed()]),
        ("another start", vec![rest(&old, at + 1, &range(&old, at + 1), TAG), changed()]),
        ("another length", vec![rest(&new, at, &range(&new, at), TAG), changed()]),
        ("another tag", vec![rest(&old, at, &range(&old, at), other), changed()]),
        ("a length that does not fit", vec![rest(&old, at + 9, &range(&old, at), TAG), changed()]),
        ("no range told", vec![Reply::Bytes(answer("206 Partial Content", TAG, &old[at..])), changed()]),
        ("packed", vec![rest(&old, at, &range(&old, at), "content-encoding: gzip\r\n"), changed()]),
        ("beyond the end", vec![gone(), changed()]),
    ];
    for (name, replies) in cases {
        let asked = replies.len();
        let place = Place::new();
        let server = Server::new(std::iter::once(begun(&old, TAG, at)).chain(replies).collect()).await;
        assert!(place.from(&server).await.is_err(), "{name}");
        let home = place.from(&server).await.unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        assert!(content(&home) == new, "{name}");
        let mut expected = vec![None, Some(format!("bytes={at}-")), None];
        expected.truncate(asked + 1);
        assert_eq!(ranges(&server), expected, "{name}");
        assert_eq!(place.parts(), 0, "{name}");
    }
}

/// B15: a link that ran out costs no byte; a fresh one goes on, one to another file begins anew.
#[tokio::test]
async fn a_fresh_link_goes_on_with_the_part() {
    let body = picture(20_000, 6);
    let refused = || Reply::Bytes(answer("403 Forbidden", "", b"<Error/>"));
    let place = Place::new();
    let replies = vec![begun(&body, TAG, KIB4), refused(), rest(&body, KIB4, &range(&body, KIB4), TAG)];
    let server = Server::new(replies).await;
    assert!(place.fetch(server.url("/a?sig=1")).await.is_err());
    assert!(matches!(place.fetch(server.url("/a?sig=1")).await, Err(Problem::Forbidden { .. })));
    assert_eq!(place.parts(), 2);
    assert_eq!(place.fetch(server.url("/a?sig=2")).await.map(|home| content(&home)), Ok(body.clone()));

    let (place, other) = (Place::new(), picture(9_000, 7));
    let server = Server::new(vec![begun(&body, TAG, KIB4), whole(&other)]).await;
    assert!(place.fetch(server.url("/a")).await.is_err());
    assert_eq!(place.fetch(server.url("/b")).await.map(|home| content(&home)), Ok(other));
    assert_eq!(ranges(&server), [None, None]);
}

/// C4: an endless body ends at the limit, and nothing of it stays.
#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let endless = picture(3 << 20, 8);
    let bytes = [&b"HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"one\"\r\n\r\n"[..], &endless].concat();
    let (server, place) = (Server::new(vec![Reply::Bytes(bytes)]).await, Place::new());
    let problem = place.from(&server).await.expect_err("too large");
    assert!(matches!(&problem, Problem::Local { message } if message.contains("limit of 1 MiB")), "{problem:?}");
    assert_eq!(place.names(), Vec::<String>::new());
}

/// C4, C5: without room nothing is written, what is here stays, and the user is told where and how much.
#[tokio::test]
async fn a_full_disk_keeps_the_part() {
    let body = picture(20_000, 9);
    let mut place = Place::new();
    let replies = vec![
        begun(&body, TAG, KIB4),
        rest(&body, KIB4, &range(&body, KIB4), TAG),
        rest(&body, KIB4, &range(&body, KIB4), TAG),
    ];
    let server = Server::new(replies).await;
    assert!(place.from(&server).await.is_err());
    place.limits.keep_free = u64::MAX;
    let problem = place.from(&server).await.expect_err("no room");
    let dir = place.dir.path().display().to_string();
    let told = |message: &str| message.contains("the disk is full; 0.0 MiB more are needed") && message.contains(&dir);
    assert!(matches!(&problem, Problem::Local { message } if told(message)), "{problem:?}");
    assert_eq!(place.parts(), 2);
    place.limits.keep_free = 0;
    assert_eq!(place.from(&server).await.map(|home| content(&home)), Ok(body));
}

/// A7: a line that only trickles is given up, and what came is kept.
#[tokio::test]
async fn a_trickle_is_given_up_and_kept() {
    let body = picture(20_000, 10);
    let mut place = Place::new();
    let mut slow = answer("200 OK", TAG, &body);
    slow.truncate(slow.len() - 9);
    let server = Server::new(vec![Reply::Hang(slow), whole(&body)]).await;
    place.limits.pace = Pace { least: u64::MAX, stretch: Duration::ZERO };
    let problem = place.from(&server).await.expect_err("too slow");
    assert!(matches!(&problem, Problem::Network { message, .. } if message.contains("all but stopped")), "{problem:?}");
    place.limits.pace = Pace::default();
    assert_eq!(place.from(&server).await.map(|home| content(&home)), Ok(body));
}

/// Two programs: one fetches, the other is told, and takes over what the first has left.
#[tokio::test]
async fn two_programs_never_write_the_same_part() {
    let body = picture(400_000, 11);
    let place = Place::new();
    let at = 300_000;
    let half = answer("200 OK", TAG, &body);
    let replies = vec![Reply::Hang(half[..half.len() - body.len() + at].to_vec()), whole(&body)];
    let server = Server::new(replies).await;
    let (sender, mut progress) = tokio::sync::watch::channel(0);
    {
        let (fetcher, wanted) =
            (Fetcher::new(place.limits).expect("one"), place.wanted(server.url("/0.png?sig=secret")));
        let mut job = std::pin::pin!(fetcher.fetch(&wanted, Some(sender)));
        tokio::select! {
            done = &mut job => panic!("it cannot be done: {done:?}"),
            seen = progress.wait_for(|bytes| *bytes == at as u64) => drop(seen.expect("progress")),
        }
        let second = place.from(&server).await;
        assert!(matches!(second, Err(Problem::Busy { retry_after: Some(_), .. })), "{second:?}");
    }
    let home = place.from(&server).await.expect("the rest, or all of it");
    assert_eq!(content(&home), body);
    assert!(ranges(&server)[1].as_deref().is_some_and(|range| range.starts_with("bytes=")), "{:?}", ranges(&server));
}

/// C9, C11: a folder that is a link is not entered; what is complete already is not asked for again.
#[tokio::test]
async fn a_link_is_not_entered_and_nothing_is_fetched_twice() {
    let body = picture(20_000, 12);
    let mut place = Place::new();
    place.template = "{model}/{id}";
    let outside = tempfile::tempdir().expect("another folder");
    let way = place.dir.path().join("flux");
    std::os::unix::fs::symlink(outside.path(), &way).expect("a link");
    let server = Server::new(vec![whole(&body)]).await;
    let problem = place.from(&server).await.expect_err("a link");
    assert!(matches!(problem, Problem::Local { .. }), "{problem:?}");
    assert_eq!((names(outside.path()), place.parts()), (vec![], 2));
    std::fs::remove_file(&way).expect("removed");
    let home = place.from(&server).await.expect("from what is here");
    assert_eq!((content(&home), server.asked().len()), (body, 1));
    assert_eq!(names(&way), ["fox.png", "fox.png.json"]);
    assert_eq!(place.names(), ["flux"]);
}

/// C8: names that would differ by case alone are the same name.
#[tokio::test]
async fn names_do_not_differ_by_case_alone() {
    let bodies = [picture(9_000, 13), picture(9_000, 14)];
    let place = Place { template: "{model}", ..Place::new() };
    let server = Server::new(bodies.iter().map(|body| whole(body)).collect()).await;
    for model in ["FLUX", "Flux"] {
        let mut wanted = place.wanted(server.url("/x"));
        wanted.facts.model = model.into();
        Fetcher::new(place.limits).expect("one").fetch(&wanted, None).await.expect("a picture");
    }
    assert_eq!(place.names(), ["flux-2.png", "flux-2.png.json", "flux.png", "flux.png.json"]);
}

/// The note beside a picture: private, with what it is, without the secret of its link.
#[tokio::test]
async fn a_note_lies_beside_the_picture() {
    let body = picture(9_000, 15);
    let place = Place::new();
    let server = Server::new(vec![whole(&body), whole(&body)]).await;
    let home = place.from(&server).await.expect("a picture");
    let file = place.dir.path().join("fox.png.json");
    let text = std::fs::read_to_string(&file).expect("a note");
    let note: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((note["sha256"].as_str(), note["bytes"].as_u64()), (Some(home.sha256.as_str()), Some(home.bytes)));
    assert_eq!((note["width"].as_u64(), note["id"].as_str()), (Some(5), Some("fox")));
    assert!(note["from_host"] == "127.0.0.1" && !text.contains("secret") && !text.contains("sig"), "{text}");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(place.from(&server).await, Ok(home), "the same again");
    assert_eq!(place.names(), ["fox.png", "fox.png.json"]);
    // A note that cannot be written does not cost the picture.
    std::fs::remove_file(&file).expect("removed");
    std::fs::create_dir(&file).expect("in the way");
    let server = Server::new(vec![whole(&body)]).await;
    assert!(place.from(&server).await.is_ok());
    assert_eq!(place.names(), ["fox.png", "fox.png-2.json", "fox.png.json"]);
}

mod program {
    //! The real program against the simulated service: cut files, a template, a deleted file.

    use std::path::Path;
    use std::process::{Command, Output};

    use kit::service::{Service, plantain};

    fn run(service: &Service, args: &[&str]) -> Output {
        service.command(args).env("PLANTAIN_NAME_TEMPLATE", "{model}/{id}.{ext}").output().expect("it runs")
    }

    fn task(service: &Service, args: &[&str]) -> serde_json::Value {
        let output = run(service, args);
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{args:?}: {output:?}"))
    }

    /// C1, C16: cut in the middle and gone on with; deleted, noticed and fetched again.
    #[test]
    fn a_picture_comes_home_twice() {
        let service = Service::with(&["--speed", "200", "--longest-side", "64"]);
        let data = service.data();
        let first = task(&service, &["submit", "--wait", "--json", "a fox [cut-file]"]);
        let id = first["id"].as_str().expect("an id");
        let file = Path::new(first["outputs"][0]["file"].as_str().expect("a file"));
        assert_eq!(first["outputs"][0].get("gone"), None);
        let folder = file.parent().expect("a folder");
        assert_eq!(folder.parent(), Some(data.join("outputs").as_path()), "{first}");
        let note = std::fs::read_to_string(format!("{}.json", file.display())).expect("a note");
        let note: serde_json::Value = serde_json::from_str(&note).expect("JSON");
        assert_eq!((&note["prompt"], &note["id"]), (&first["prompt"], &first["id"]));
        assert_eq!((&note["task_id"], &note["sha256"]), (&first["task_id"], &first["outputs"][0]["sha256"]));
        assert_eq!(super::names(&data.join("outputs")).len(), 1, "no part is left");

        let nothing = run(&service, &["fetch", id]);
        assert!(nothing.status.success() && String::from_utf8_lossy(&nothing.stderr).contains("nothing of it"));
        std::fs::remove_file(file).expect("deleted");
        let shown = task(&service, &["show", "--json", id]);
        assert_eq!(
            (&shown["outputs"][0]["gone"], &shown["outputs"][0]["file"]),
            (&true.into(), &first["outputs"][0]["file"])
        );
        for command in [&["list"][..], &["show", id]] {
            let words = run(&service, command).stdout;
            assert!(String::from_utf8_lossy(&words).contains("file gone"), "{command:?}");
        }
        let again = task(&service, &["fetch", "--json", id]);
        assert_eq!(again["outputs"], first["outputs"]);
        assert!(file.is_file());
        assert_eq!(super::names(folder).len(), 2, "a picture and its note");
    }

    #[test]
    fn a_wrong_template_is_told_at_the_start() {
        let output = Command::new(plantain()).args(["list", "--name-template", "{seed}"]).output().expect("it runs");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && words.contains("{slug}"), "{words}");
    }
}
