//! A2: a host that cannot prove who it is gets nothing, and that is told apart from a connection that failed.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc;

use plantain::api::{ApiKey, Client, Timeouts, base_url};
use plantain::domain::{LocalId, Outcome, Problem};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A service with a certificate that it gave itself. Says what it was told after the handshake.
fn stranger() -> (u16, mpsc::Receiver<Vec<u8>>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = CertificateDer::from(include_bytes!("certificate/localhost.der").to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(include_bytes!("certificate/localhost.key.der").to_vec()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    let config = Arc::new(config.expect("a certificate"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (told, inbox) = mpsc::channel();
    std::thread::spawn(move || {
        let (line, _) = listener.accept().expect("a caller");
        let secure = ServerConnection::new(config).expect("a connection");
        let mut bytes = Vec::new();
        let _ = StreamOwned::new(secure, line).take(1 << 16).read_to_end(&mut bytes);
        let _ = told.send(bytes);
    });
    (port, inbox)
}

#[tokio::test]
async fn a_stranger_is_told_nothing() {
    let (port, told) = stranger();
    let base = base_url(&format!("https://localhost:{port}")).expect("a base");
    let client = Client::new(base, ApiKey::parse("sk-canary-0123").expect("a key"), Timeouts::default());
    let said = client.expect("a client").create(LocalId::from_random(7), r#"{"model":"m","input":{}}"#).await;
    let problem = said.result.expect_err("it is not trusted");
    let Problem::Certificate { host, message } = &problem else { panic!("{problem:?}") };
    assert_eq!(host, "localhost");
    assert!(message.contains("certificate"), "{message}");
    assert_eq!((problem.outcome(), problem.is_passing()), (Outcome::Blocked, false));
    let words = problem.advice();
    assert!(words.contains("nothing was sent") && words.contains("SSL_CERT_FILE"), "{words}");
    let told = tokio::task::spawn_blocking(move || told.recv().expect("it ended")).await.expect("no panic");
    assert_eq!(told, b"", "not a byte of the request");
}
