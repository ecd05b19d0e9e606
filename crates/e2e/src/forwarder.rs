//! A forwarder of TCP connections that counts them: what stands in front of a server that nobody
//! is supposed to call.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;

/// Forwards each connection to its own address to another one, and counts.
///
/// It counts before it tries to reach the server, so that a call to a stopped server counts too.
/// It runs until the process ends.
pub struct Forwarder {
    address: SocketAddr,
    to: Arc<Mutex<Option<SocketAddr>>>,
    count: Arc<AtomicUsize>,
}

impl Forwarder {
    /// Listens on a free port for whoever wants to reach a server that does not run yet.
    ///
    /// # Errors
    ///
    /// When no port can be taken.
    pub fn start() -> anyhow::Result<Forwarder> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        let address = listener.local_addr()?;
        let count = Arc::new(AtomicUsize::new(0));
        let to = Arc::new(Mutex::new(None));
        let (counted, target) = (Arc::clone(&count), Arc::clone(&to));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let to = *target.lock().unwrap_or_else(PoisonError::into_inner);
                // Where no server runs, the client sees its connection closed.
                if let Some(to) = to {
                    std::thread::spawn(move || forward(client, to));
                }
            }
        });
        Ok(Forwarder { address, to, count })
    }

    /// Forwards new connections to this server, or closes them.
    pub fn lead(&self, to: Option<SocketAddr>) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// The address to call.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn forward(client: TcpStream, to: SocketAddr) {
    // Where the server is not there, the client sees its connection closed.
    let Ok(server) = TcpStream::connect(to) else {
        return;
    };
    // What one side sends in pieces is not held back for the other's acknowledgements.
    let _gone = (client.set_nodelay(true), server.set_nodelay(true));
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    std::thread::spawn(move || pipe(from_client, server));
    pipe(from_server, client);
}

fn pipe(mut from: TcpStream, mut to: TcpStream) {
    let _broken = io::copy(&mut from, &mut to);
    let _closed = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_connection_is_counted_and_carries_both_ways_and_a_refused_one_counts_too() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let forwarder = Forwarder::start().unwrap();
        forwarder.lead(Some(server.local_addr().unwrap()));
        assert_eq!(forwarder.connections(), 0);

        let mut client = TcpStream::connect(forwarder.address()).unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let mut heard = String::new();
        accepted.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "question");
        accepted.write_all(b"answer").unwrap();
        drop(accepted);
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        assert_eq!((said.as_str(), forwarder.connections()), ("answer", 1));

        drop(server);
        let mut late = TcpStream::connect(forwarder.address()).unwrap();
        assert_eq!(late.read(&mut [0]).unwrap_or(0), 0);
        assert_eq!(forwarder.connections(), 2);
    }
}
