//! A connection whose every byte the test sends itself.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};

/// How long the server may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct RawConnection(pub(crate) StreamOwned<ClientConnection, TcpStream>);

impl RawConnection {
    /// Connects to the server `name` on this port, of the authority in the file `ca`.
    pub(crate) fn open(ca: &Path, name: &str, port: u16) -> RawConnection {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        RawConnection(StreamOwned::new(tls, socket))
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
        self.0.flush().unwrap();
    }

    /// What the server sends until it closes the connection.
    pub(crate) fn read_to_end(&mut self) -> String {
        let mut received = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut received) {
            let closed = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
            assert!(closed.contains(&error.kind()), "{error}");
        }
        String::from_utf8(received).unwrap()
    }
}

/// A request with a JSON body of which only the first byte is sent.
pub(crate) fn half_a_request(path: &str, host: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{"
    )
}
