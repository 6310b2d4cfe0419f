//! A server of bytes: one reply for each connection, in order, and a record of what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What one connection gets.
pub enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then silence with the line open.
    Hang(Vec<u8>),
    /// These bytes, then a reset.
    Reset(Vec<u8>),
}

/// A server that runs until it is dropped.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// On a port of its own.
    pub async fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::with(listener, replies)
    }

    /// On a listener that was bound before, for replies that name the server itself.
    pub fn with(listener: TcpListener, replies: Vec<Reply>) -> Self {
        let addr = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            for reply in replies {
                let Ok((mut line, _)) = listener.accept().await else { return };
                let request = request(&mut line).await;
                record.lock().expect("a record").push(request);
                match reply {
                    Reply::Bytes(bytes) => {
                        let _ = line.write_all(&bytes).await;
                        let _ = line.shutdown().await;
                    }
                    Reply::Hang(bytes) => {
                        let _ = line.write_all(&bytes).await;
                        open.push(line);
                    }
                    Reply::Reset(bytes) => {
                        let _ = line.write_all(&bytes).await;
                        let _ = line.set_zero_linger();
                    }
                }
            }
            // Whoever asks more than was foreseen waits, and the test that waits for it fails by its time-out.
            std::future::pending::<()>().await;
        });
        Self { addr, asked, task }
    }

    /// The address of a path there.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The requests so far, head and body.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a record").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn request(line: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        // TLS: there will be no request to understand.
        if bytes.first() == Some(&0x16) {
            return String::new();
        }
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|n| n.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        match line.read(&mut piece).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&piece[..n]),
            _ => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// An answer with a length.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer of the API.
pub fn json(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Bytes(answer(status, &format!("content-type: application/json\r\n{headers}"), body.as_bytes()))
}
